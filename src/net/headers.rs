//! What a server says beside its answer. Names and values only; what they mean is for those who
//! ask.

/// An answer's headers.
#[derive(Clone, Debug, Default)]
pub struct Headers(ureq::http::HeaderMap);

impl Headers {
    pub(super) fn of(map: &ureq::http::HeaderMap) -> Headers {
        Headers(map.clone())
    }

    /// The first value under a name in small letters. `None` also where it is no ASCII text.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.to_str().ok()
    }
}
