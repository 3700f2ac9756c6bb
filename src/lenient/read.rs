//! Reads replies that are JSON but for some characters, or but for a key that is there twice.

use std::marker::PhantomData;

use serde::de::{Deserialize, DeserializeSeed, Error as _};
use serde_json::{Deserializer, Error, Value};

use super::repair::repaired;

pub fn read<'de, T: Deserialize<'de>>(body: &'de [u8]) -> Result<T, Error> {
    read_with(body, || PhantomData)
}

/// Reads a body by a seed. Of a key that is there twice the last one counts, as in other clients.
pub fn read_with<'de, S: DeserializeSeed<'de>>(body: &'de [u8], seed: impl Fn() -> S) -> Result<S::Value, Error> {
    // Checked once: checking each text on its own takes a tenth more of the time.
    let read = match str::from_utf8(body) {
        Ok(text) => {
            let mut json = Deserializer::from_str(text);
            let read = seed().deserialize(&mut json);
            read.and_then(|value| json.end().map(|()| value))
        }
        Err(cause) => Err(Error::custom(cause)),
    };
    read.or_else(|cause| {
        // One odd character in a name closes no list.
        let value: Value = serde_json::from_slice(body).or_else(|_| serde_json::from_str(&repaired(body)))?;
        seed().deserialize(value).map_err(|_| cause)
    })
}
