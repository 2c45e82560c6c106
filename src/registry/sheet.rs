//! Typed reading of TOML tables that goes on after a fault: every complaint is collected with
//! its line. Knows no key: the registry reads with it, and whoever reads a file that holds services
//! beside other tables.

use crate::registry::complaint::{Complaint, Place, did_you_mean};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// One TOML text and where its lines begin.
pub struct Sheet<'a> {
    file: &'a str,
    lines: Vec<usize>,
}

impl<'a> Sheet<'a> {
    pub fn new(file: &'a str, text: &str) -> Sheet<'a> {
        let lines = text.match_indices('\n').map(|(at, _)| at + 1).collect();
        Sheet { file, lines }
    }

    /// The line of a byte offset.
    pub fn place(&self, offset: usize) -> Place {
        let before = self.lines.partition_point(|start| *start <= offset);
        Place::line(self.file, u32::try_from(before + 1).unwrap_or(u32::MAX))
    }

    pub fn whole(&self) -> Place {
        Place::file(self.file)
    }
}

/// A table that is being read.
pub struct Section<'s, 'i> {
    pub sheet: &'s Sheet<'s>,
    /// As people call it: `[[service]]`.
    pub label: &'static str,
    pub table: &'s DeTable<'i>,
    /// Where the table begins.
    pub place: Place,
    pub complaints: Vec<Complaint>,
}

impl<'s, 'i> Section<'s, 'i> {
    pub fn new(
        sheet: &'s Sheet<'s>,
        label: &'static str,
        table: &'s Spanned<DeTable<'i>>,
    ) -> Section<'s, 'i> {
        Section {
            sheet,
            label,
            place: sheet.place(table.span().start),
            table: table.get_ref(),
            complaints: Vec::new(),
        }
    }

    pub fn fault(&mut self, place: Place, what: String, remedy: String) {
        self.complaints.push(Complaint::fault(place, what, remedy));
    }

    /// Complains about every key that is not known.
    pub fn only(&mut self, known: &[&str]) {
        for (key, _) in self.table.iter() {
            let name: &str = key.get_ref();
            if !known.contains(&name) {
                let place = self.sheet.place(key.span().start);
                let what = format!("unknown key `{}` in {}", name.escape_debug(), self.label);
                self.fault(place, what, did_you_mean(name, known));
            }
        }
    }

    fn value(&self, key: &str) -> Option<&'s Spanned<DeValue<'i>>> {
        self.table
            .iter()
            .find(|(name, _)| name.get_ref() == key)
            .map(|(_, value)| value)
    }

    /// The key's value as it stands.
    pub fn raw(&self, key: &str) -> Option<(&'s DeValue<'i>, Place)> {
        let value = self.value(key)?;
        Some((value.get_ref(), self.sheet.place(value.span().start)))
    }

    pub fn wrong_type(&mut self, key: &str, wanted: &str, value: &DeValue<'_>, at: Place) {
        let what = format!("`{key}` must be {wanted}, not {}", type_name(value));
        let remedy = match value {
            DeValue::Table(_) | DeValue::Array(_) => String::new(),
            _ if wanted.contains("string") => "put it in quotes".to_owned(),
            _ => String::new(),
        };
        self.fault(at, what, remedy);
    }

    /// A string that is not empty.
    pub fn string(&mut self, key: &str) -> Option<(String, Place)> {
        let (value, place) = self.raw(key)?;
        match value {
            DeValue::String(text) if text.trim().is_empty() => {
                let remedy = "write a value, or take the key out".to_owned();
                self.fault(place, format!("`{key}` is empty"), remedy);
                None
            }
            DeValue::String(text) => Some((text.to_string(), place)),
            other => {
                self.wrong_type(key, "a string", other, place);
                None
            }
        }
    }

    /// A string or a list of strings.
    pub fn strings(&mut self, key: &str) -> Vec<(String, Place)> {
        let Some((value, place)) = self.raw(key) else {
            return Vec::new();
        };
        match value {
            DeValue::String(text) => vec![(text.to_string(), place)],
            DeValue::Array(items) => {
                let mut texts = Vec::new();
                for item in items.iter() {
                    let at = self.sheet.place(item.span().start);
                    match item.get_ref() {
                        DeValue::String(text) => texts.push((text.to_string(), at)),
                        other => self.wrong_type(key, "a list of strings", other, at),
                    }
                }
                texts
            }
            other => {
                self.wrong_type(key, "a string or a list of strings", other, place);
                Vec::new()
            }
        }
    }

    /// Strings that all pass a check; those that do not are complained about and left out.
    pub fn checked(
        &mut self,
        key: &str,
        check: impl Fn(&str) -> Result<(), (String, String)>,
    ) -> Vec<String> {
        let mut good = Vec::new();
        for (text, place) in self.strings(key) {
            match check(&text) {
                Ok(()) => good.push(text),
                Err((what, remedy)) => self.fault(place, what, remedy),
            }
        }
        good
    }

    /// One of a few words.
    pub fn word<T: Copy>(&mut self, key: &str, words: &[(&str, T)]) -> Option<T> {
        let (text, place) = self.string(key)?;
        if let Some((_, meaning)) = words.iter().find(|(word, _)| *word == text) {
            return Some(*meaning);
        }
        let names: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        let what = format!("`{}` is no {key}", text.escape_debug());
        self.fault(place, what, did_you_mean(&text, &names));
        None
    }

    /// `true` or `false`; without the key, `false`.
    pub(super) fn truth(&mut self, key: &str) -> bool {
        match self.raw(key) {
            Some((DeValue::Boolean(truth), _)) => *truth,
            Some((other, place)) => {
                self.wrong_type(key, "true or false", other, place);
                false
            }
            None => false,
        }
    }

    /// A table under a key; the caller reads it with a section of its own.
    pub fn table(&mut self, key: &str) -> Option<(&'s DeTable<'i>, Place)> {
        let (value, place) = self.raw(key)?;
        match value {
            DeValue::Table(table) => Some((table, place)),
            other => {
                self.wrong_type(key, "a table", other, place);
                None
            }
        }
    }

    /// The tables of a list, each with where it begins.
    pub fn tables(&mut self, key: &str) -> Vec<(&'s DeTable<'i>, Place)> {
        let Some((value, place)) = self.raw(key) else {
            return Vec::new();
        };
        let DeValue::Array(items) = value else {
            let what = format!("`{key}` must be a list of tables");
            self.fault(place, what, format!("write [[{key}]] with two brackets"));
            return Vec::new();
        };
        let mut tables = Vec::new();
        for item in items.iter() {
            let at = self.sheet.place(item.span().start);
            match item.get_ref() {
                DeValue::Table(table) => tables.push((table, at)),
                other => self.wrong_type(key, "a list of tables", other, at),
            }
        }
        tables
    }

    /// Reads the table under a key with a section of its own, whose complaints join these.
    pub fn inside<T>(
        &mut self,
        key: &str,
        label: &'static str,
        read: impl FnOnce(&mut Section<'s, 'i>) -> T,
    ) -> Option<T> {
        let (table, place) = self.table(key)?;
        let mut section = Section {
            sheet: self.sheet,
            label,
            table,
            place,
            complaints: Vec::new(),
        };
        let read = read(&mut section);
        self.complaints.append(&mut section.complaints);
        Some(read)
    }
}

pub fn type_name(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) | DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}
