//! Reads replies of Jenkins that are JSON but for some characters inside their strings. Pure; what an element means is left
//! to `wire`.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::jenkins::lenient::Text;

pub use crate::json::{UNREADABLE, repaired, shown};

/// Reads a small reply whole: as it is, or else repaired.
pub fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    serde_json::from_slice(body)
        .or_else(|_| serde_json::from_str(&repaired(body)))
        .map_err(|error| error.to_string())
}

/// Reads one field of an element that cannot be read whole.
pub fn display_name(element: &str) -> Option<String> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Named<'a> {
        #[serde(borrow, default)]
        display_name: Text<'a>,
    }
    let named: Named<'_> = serde_json::from_str(element).ok()?;
    named.display_name.filled().map(str::to_owned)
}
