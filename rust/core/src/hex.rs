//! Numbers in hex digits, of a fixed length and in lower case: in ids, file names and clocks.

/// Exactly `digits` lower-case hex digits.
pub fn parse_hex(text: &str, digits: usize) -> Option<u64> {
    let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    if text.len() != digits || !text.bytes().all(is_hex) {
        return None;
    }
    u64::from_str_radix(text, 16).ok()
}
