//! What the bytes of a JSON text show without parsing it.

mod compact;

pub use compact::compact;

/// How deeply arrays and objects are nested in a JSON text: 0 for a plain value.
///
/// The result for text that is not JSON is meaningless.
pub fn depth(text: &[u8]) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    let mut bytes = text.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'[' | b'{' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            b'"' => skip_string(&mut bytes),
            _ => {}
        }
    }
    deepest
}

fn skip_string(bytes: &mut std::slice::Iter<u8>) {
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => return,
            b'\\' => drop(bytes.next()),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::depth;

    #[test]
    fn counts_what_is_nested_outside_of_strings() {
        for (text, expected) in [
            ("", 0),
            ("17", 0),
            ("[]", 1),
            (r#"{"a":[1,{"b":2}],"c":[[]]}"#, 3),
            (r#"["[[[[", "a\"[[[[", "\\"]"#, 1),
            (r#"[["x"],["\\\"]"],{}]"#, 2),
        ] {
            assert_eq!(depth(text.as_bytes()), expected, "{text}");
        }
        let deep = "[".repeat(100_000) + &"]".repeat(100_000);
        assert_eq!(depth(deep.as_bytes()), 100_000);
    }
}
