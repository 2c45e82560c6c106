//! Reads single msgpack values, borrowed and bounded: a header's claim about sizes is believed only
//! as far as bytes are there, nesting ends at [`MAX_DEPTH`], and nothing is allocated. It does not
//! know what an event is; that is `decode`.

/// Containers inside containers, the event's own two arrays included. Real records stay below 12.
pub const MAX_DEPTH: usize = 64;

/// One msgpack value. Text may be invalid UTF-8 and is therefore bytes.
// A wide tag: with a narrow one the bytes between it and what it tags are copied in odd pieces,
// for which the processor waits.
#[repr(u64)]
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Item<'a> {
    Nil,
    Bool(bool),
    Int(i64),
    /// Only numbers above `i64::MAX`.
    UInt(u64),
    Float(f64),
    Str(&'a [u8]),
    Bin(&'a [u8]),
    Array(Array<'a>),
    Map(Map<'a>),
    Ext(i8, &'a [u8]),
}

impl<'a> Item<'a> {
    /// The bytes of a string or of binary data.
    pub fn bytes(&self) -> Option<&'a [u8]> {
        match *self {
            Item::Str(bytes) | Item::Bin(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// Text that is valid UTF-8, from a string or from binary data.
    pub fn text(&self) -> Option<&'a str> {
        self.bytes().and_then(|bytes| str::from_utf8(bytes).ok())
    }

    pub fn map(&self) -> Option<Map<'a>> {
        match *self {
            Item::Map(map) => Some(map),
            _ => None,
        }
    }
}

/// An array inside the chunk; iterating reads it anew.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Array<'a> {
    body: &'a [u8],
    len: u32,
}

impl<'a> Array<'a> {
    pub fn len(&self) -> usize {
        self.len as usize
    }

    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub fn iter(&self) -> Items<'a> {
        Items {
            rest: self.body,
            left: self.len,
        }
    }
}

/// The elements of an array in order.
#[derive(Clone, Debug)]
pub struct Items<'a> {
    rest: &'a [u8],
    left: u32,
}

impl<'a> Iterator for Items<'a> {
    type Item = Item<'a>;

    fn next(&mut self) -> Option<Item<'a>> {
        self.left = self.left.checked_sub(1)?;
        let (item, rest) = read(self.rest).ok()?;
        self.rest = rest;
        Some(item)
    }
}

/// A map inside the chunk; iterating reads it anew. Keys may repeat.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Map<'a> {
    body: &'a [u8],
    len: u32,
}

impl<'a> Map<'a> {
    /// Number of pairs.
    pub fn len(&self) -> usize {
        self.len as usize
    }

    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The encoded pairs without the map's header, for a copy that outlives the chunk.
    pub fn raw(&self) -> (&'a [u8], usize) {
        (self.body, self.len())
    }

    pub fn iter(&self) -> Pairs<'a> {
        Pairs {
            rest: self.body,
            left: self.len,
        }
    }

    /// The first value under `key`.
    pub fn get(&self, key: &str) -> Option<Item<'a>> {
        self.iter()
            .find_map(|(name, value)| (name == key.as_bytes()).then_some(value))
    }

    /// Reads a map from its own msgpack bytes; whatever follows it is ignored.
    pub fn from_bytes(bytes: &'a [u8]) -> Option<Map<'a>> {
        read(bytes).ok().and_then(|(item, _)| item.map())
    }
}

/// Key and value of a map in order; keys that are not text come as empty bytes.
#[derive(Clone, Debug)]
pub struct Pairs<'a> {
    rest: &'a [u8],
    left: u32,
}

impl<'a> Iterator for Pairs<'a> {
    type Item = (&'a [u8], Item<'a>);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        let (name, rest) = key(self.rest, MAX_DEPTH)?;
        let (value, rest) = value(rest, MAX_DEPTH)?;
        self.rest = rest;
        Some((name, value))
    }
}

/// The key that the bytes begin with, and what follows it.
#[inline]
fn key(bytes: &[u8], depth: usize) -> Option<(&[u8], &[u8])> {
    if let Some(short) = short_text(bytes) {
        return Some(short);
    }
    let (key, rest) = read_within(bytes, depth).ok()?;
    Some((key.bytes().unwrap_or_default(), rest))
}

/// The value that the bytes begin with, and what follows it. What records hold most is read here.
#[inline]
fn value(bytes: &[u8], depth: usize) -> Option<(Item<'_>, &[u8])> {
    let (&marker, rest) = bytes.split_first()?;
    match marker {
        0xa0..=0xbf => {
            let (text, rest) = rest.split_at_checked(usize::from(marker & 0x1f))?;
            Some((Item::Str(text), rest))
        }
        0xd9 => {
            let (&length, rest) = rest.split_first()?;
            let (text, rest) = rest.split_at_checked(usize::from(length))?;
            Some((Item::Str(text), rest))
        }
        0x00..=0x7f => Some((Item::Int(i64::from(marker)), rest)),
        0xcc => {
            let (&number, rest) = rest.split_first()?;
            Some((Item::Int(i64::from(number)), rest))
        }
        0xcd => {
            let (number, rest) = rest.split_first_chunk::<2>()?;
            Some((Item::Int(i64::from(u16::from_be_bytes(*number))), rest))
        }
        0xce => {
            let (number, rest) = rest.split_first_chunk::<4>()?;
            Some((Item::Int(i64::from(u32::from_be_bytes(*number))), rest))
        }
        0xcb => {
            let (number, rest) = rest.split_first_chunk::<8>()?;
            Some((Item::Float(f64::from_be_bytes(*number)), rest))
        }
        _ => read_within(bytes, depth).ok(),
    }
}

/// Reads a map as [`read_within`] does and tells its pairs on the way, each as [`Map::iter`]
/// would give it. `None` for what is no map or not whole: what was told then means nothing.
#[inline]
pub(super) fn read_map<'a>(
    bytes: &'a [u8],
    depth: usize,
    mut tell: impl FnMut(&'a [u8], Item<'a>),
) -> Option<(Map<'a>, &'a [u8])> {
    let (len, body) = match bytes {
        // As hosts write it.
        [0xdf, a, b, c, d, body @ ..] => (u32::from_be_bytes([*a, *b, *c, *d]), body),
        _ => match read_head(bytes).ok()? {
            (Head::Map(len), body) => (len, body),
            (Head::Whole(_) | Head::Array(_), _) => return None,
        },
    };
    let inner = depth.checked_sub(1)?;
    let mut rest = body;
    for _ in 0..len {
        let (name, after) = key(rest, inner)?;
        let (value, after) = value(after, inner)?;
        tell(name, value);
        rest = after;
    }
    let body = &body[..body.len() - rest.len()];
    Some((Map { body, len }, rest))
}

/// Why bytes of a chunk could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// The bytes end before a value does, or a header claims more than can follow.
    Truncated,
    /// A marker that msgpack does not define.
    Invalid,
    /// Nested deeper than [`MAX_DEPTH`].
    TooDeep,
    /// Well-formed msgpack that is not `[time, map]` or `[[time, metadata], map]`.
    NotAnEvent,
}

/// What a value's first bytes say.
enum Head<'a> {
    Whole(Item<'a>),
    Array(u32),
    Map(u32),
}

type Read<'a, T> = Result<(T, &'a [u8]), FaultKind>;

/// Text of up to 31 bytes and what follows it: most keys and many values.
#[inline]
fn short_text(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&marker, rest) = bytes.split_first()?;
    match marker {
        0xa0..=0xbf => rest.split_at_checked(usize::from(marker & 0x1f)),
        _ => None,
    }
}

/// Reads one value and gives the bytes after it; nested containers are walked, not copied.
pub(crate) fn read(bytes: &[u8]) -> Read<'_, Item<'_>> {
    read_within(bytes, MAX_DEPTH)
}

/// [`read`] for a value that may be nested `depth` levels deep, its own included.
pub(super) fn read_within(bytes: &[u8], depth: usize) -> Read<'_, Item<'_>> {
    let (head, rest) = read_head(bytes)?;
    let (children, is_map, len) = match head {
        Head::Whole(item) => return Ok((item, rest)),
        Head::Array(len) => (u64::from(len), false, len),
        Head::Map(len) => (u64::from(len) * 2, true, len),
    };
    let after = skip(rest, children, depth)?;
    let body = &rest[..rest.len() - after.len()];
    let item = if is_map {
        Item::Map(Map { body, len })
    } else {
        Item::Array(Array { body, len })
    };
    Ok((item, after))
}

/// Bytes of a value, its first included, where the first byte alone tells; 0 where it does not.
const SIZES: [u8; 256] = {
    let mut sizes = [0; 256];
    let mut marker = 0;
    while marker < 256 {
        sizes[marker] = match marker as u8 {
            0x00..=0x7f | 0xc0 | 0xc2 | 0xc3 | 0xe0..=0xff => 1,
            0xa0..=0xbf => 1 + (marker as u8 & 0x1f),
            0xcc | 0xd0 => 2,
            0xcd | 0xd1 | 0xd4 => 3,
            0xd5 => 4,
            0xca | 0xce | 0xd2 => 5,
            0xd6 => 6,
            0xcb | 0xcf | 0xd3 => 9,
            0xd7 => 10,
            0xd8 => 18,
            _ => 0,
        };
        marker += 1;
    }
    sizes
};

/// Passes over values whose size their first byte tells, at most `left` of them; gives how many
/// are left. Most values of a record are such.
#[inline]
fn skip_plain(mut rest: &[u8], mut left: u64) -> Read<'_, u64> {
    while left > 0 {
        // Every value takes a byte: a claim beyond the bytes that are there is a lie.
        if left > rest.len() as u64 {
            return Err(FaultKind::Truncated);
        }
        let first = rest.first().map_or(0xc1, |first| *first);
        let size = match SIZES[usize::from(first)] {
            // Text of up to 255 bytes.
            0 if first == 0xd9 => 2 + rest.get(1).map_or(0, |length| usize::from(*length)),
            0 => break,
            size => usize::from(size),
        };
        rest = rest.get(size..).ok_or(FaultKind::Truncated)?;
        left -= 1;
    }
    Ok((left, rest))
}

/// Passes over `count` values.
#[inline]
fn skip(rest: &[u8], count: u64, levels: usize) -> Result<&[u8], FaultKind> {
    match skip_plain(rest, count)? {
        (0, rest) => Ok(rest),
        (left, rest) => skip_nested(rest, left, levels),
    }
}

/// Passes over `count` values, containers among them, without recursion.
fn skip_nested(mut rest: &[u8], count: u64, levels: usize) -> Result<&[u8], FaultKind> {
    let mut open = [0u64; MAX_DEPTH];
    let mut depth = 0;
    let mut left = count;
    loop {
        (left, rest) = skip_plain(rest, left)?;
        if left == 0 {
            if depth == 0 {
                return Ok(rest);
            }
            depth -= 1;
            left = open[depth];
            continue;
        }
        left -= 1;
        let (head, after) = read_head(rest)?;
        rest = after;
        let children = match head {
            Head::Whole(_) => continue,
            Head::Array(len) => u64::from(len),
            Head::Map(len) => u64::from(len) * 2,
        };
        // The container being skipped counts as the first level.
        if depth + 1 >= levels.min(MAX_DEPTH) {
            return Err(FaultKind::TooDeep);
        }
        open[depth] = left;
        depth += 1;
        left = children;
    }
}

#[inline]
fn read_head(bytes: &[u8]) -> Read<'_, Head<'_>> {
    let (&marker, rest) = bytes.split_first().ok_or(FaultKind::Truncated)?;
    match marker {
        0x00..=0x7f => whole(Item::Int(i64::from(marker)), rest),
        0x80..=0x8f => Ok((Head::Map(u32::from(marker & 0x0f)), rest)),
        0x90..=0x9f => Ok((Head::Array(u32::from(marker & 0x0f)), rest)),
        0xa0..=0xbf => text(rest, usize::from(marker & 0x1f)),
        0xc0 => whole(Item::Nil, rest),
        0xc1 => Err(FaultKind::Invalid),
        0xc2 | 0xc3 => whole(Item::Bool(marker == 0xc3), rest),
        0xc4..=0xc6 => {
            let (len, rest) = length(rest, marker - 0xc4)?;
            let (bytes, rest) = take(rest, len)?;
            whole(Item::Bin(bytes), rest)
        }
        0xc7..=0xc9 => {
            let (len, rest) = length(rest, marker - 0xc7)?;
            extension(rest, len)
        }
        0xca | 0xcb => float(rest, marker == 0xcb),
        0xcc..=0xcf => unsigned(rest, 1 << (marker - 0xcc)),
        0xd0..=0xd3 => signed(rest, 1 << (marker - 0xd0)),
        0xd4..=0xd8 => extension(rest, 1 << (marker - 0xd4)),
        0xd9..=0xdb => {
            let (len, rest) = length(rest, marker - 0xd9)?;
            text(rest, len)
        }
        0xdc | 0xdd => {
            let (len, rest) = length(rest, marker - 0xdc + 1)?;
            Ok((Head::Array(u32::try_from(len).unwrap_or(u32::MAX)), rest))
        }
        0xde | 0xdf => {
            let (len, rest) = length(rest, marker - 0xde + 1)?;
            Ok((Head::Map(u32::try_from(len).unwrap_or(u32::MAX)), rest))
        }
        0xe0..=0xff => whole(Item::Int(i64::from(marker as i8)), rest),
    }
}

#[inline]
fn whole<'a>(item: Item<'a>, rest: &'a [u8]) -> Read<'a, Head<'a>> {
    Ok((Head::Whole(item), rest))
}

#[inline]
fn take(bytes: &[u8], len: usize) -> Read<'_, &[u8]> {
    bytes.split_at_checked(len).ok_or(FaultKind::Truncated)
}

/// A big-endian number of `width` bytes (1, 2, 4 or 8).
#[inline]
fn number(bytes: &[u8], width: usize) -> Read<'_, u64> {
    let (digits, rest) = take(bytes, width)?;
    let value = match *digits {
        [a] => u64::from(a),
        [a, b] => u64::from(u16::from_be_bytes([a, b])),
        [a, b, c, d] => u64::from(u32::from_be_bytes([a, b, c, d])),
        [a, b, c, d, e, f, g, h] => u64::from_be_bytes([a, b, c, d, e, f, g, h]),
        _ => 0,
    };
    Ok((value, rest))
}

/// A length of 1, 2 or 4 bytes for `size` 0, 1 and 2.
#[inline]
fn length(bytes: &[u8], size: u8) -> Read<'_, usize> {
    let (value, rest) = number(bytes, 1 << size)?;
    Ok((usize::try_from(value).unwrap_or(usize::MAX), rest))
}

#[inline]
fn text(rest: &[u8], len: usize) -> Read<'_, Head<'_>> {
    let (bytes, rest) = take(rest, len)?;
    whole(Item::Str(bytes), rest)
}

fn extension(rest: &[u8], len: usize) -> Read<'_, Head<'_>> {
    let (kind, rest) = number(rest, 1)?;
    let (bytes, rest) = take(rest, len)?;
    whole(Item::Ext(kind as u8 as i8, bytes), rest)
}

fn float(rest: &[u8], double: bool) -> Read<'_, Head<'_>> {
    let (bits, rest) = number(rest, if double { 8 } else { 4 })?;
    let value = if double {
        f64::from_bits(bits)
    } else {
        f64::from(f32::from_bits(bits as u32))
    };
    whole(Item::Float(value), rest)
}

fn unsigned(rest: &[u8], width: usize) -> Read<'_, Head<'_>> {
    let (value, rest) = number(rest, width)?;
    let item = i64::try_from(value).map_or(Item::UInt(value), Item::Int);
    whole(item, rest)
}

fn signed(rest: &[u8], width: usize) -> Read<'_, Head<'_>> {
    let (value, rest) = number(rest, width)?;
    let unused = 64 - 8 * width as u32;
    whole(Item::Int((value << unused) as i64 >> unused), rest)
}
