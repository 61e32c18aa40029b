//! `\Q…\E`: what is between them stands for itself.

/// A pattern in which what is quoted is escaped character by character, as Java does before it reads it.
pub(super) fn expand(points: Vec<u32>) -> Vec<u32> {
    let Some(start) = first_quote(&points) else {
        return points;
    };
    let backslash = u32::from(b'\\');
    let mut expanded = points[..start].to_vec();
    let mut place = start + 2;
    let (mut in_quote, mut is_first) = (true, true);
    while let Some(&point) = points.get(place) {
        place += 1;
        let next = points.get(place).copied();
        let byte = u8::try_from(point).ok().filter(u8::is_ascii);
        match byte {
            Some(b'\\') if in_quote && next == Some(u32::from(b'E')) => {
                place += 1;
                in_quote = false;
            }
            Some(b'\\') if in_quote => expanded.extend([backslash, backslash]),
            Some(b'\\') if next == Some(u32::from(b'Q')) => {
                place += 1;
                (in_quote, is_first) = (true, true);
                continue;
            }
            Some(b'\\') => {
                expanded.push(point);
                expanded.extend(next);
                place += 1;
            }
            Some(digit) if digit.is_ascii_digit() => {
                // A digit must not be taken for a part of an escape that ends before the quote.
                if is_first {
                    expanded.extend([backslash, u32::from(b'x'), u32::from(b'3')]);
                }
                expanded.push(point);
            }
            Some(other) if !other.is_ascii_alphabetic() && in_quote => {
                expanded.extend([backslash, point]);
            }
            _ => expanded.push(point),
        }
        is_first = false;
    }
    expanded
}

fn first_quote(points: &[u32]) -> Option<usize> {
    let mut place = 0;
    while place + 1 < points.len() {
        if points[place] != u32::from(b'\\') {
            place += 1;
        } else if points[place + 1] != u32::from(b'Q') {
            place += 2;
        } else {
            return Some(place);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    fn expand(text: &str) -> String {
        let points = text.chars().map(u32::from).collect();
        super::expand(points)
            .into_iter()
            .filter_map(char::from_u32)
            .collect()
    }

    #[test]
    fn what_is_quoted_is_escaped() {
        assert_eq!(expand(r"a\Q.b\E."), r"a\.b.");
        assert_eq!(expand(r"\Qa*"), r"a\*");
        assert_eq!(expand(r"\\Qa"), r"\\Qa");
        assert_eq!(expand(r"\Q1\E\Q2"), r"\x31\x32");
        assert_eq!(expand(r"\Qa\b\E\d"), r"a\\b\d");
    }
}
