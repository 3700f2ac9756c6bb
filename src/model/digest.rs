//! Short digests of texts.

/// Digests bytes to 16 hexadecimal digits (FNV-1a, 64 bit): stable over versions, not for secrets.
pub fn digest(bytes: &[u8]) -> String {
    format!("{:016x}", digest_u64(bytes))
}

/// Digests bytes to a number (FNV-1a, 64 bit).
pub fn digest_u64(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
