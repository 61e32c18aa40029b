//! Texts: sequences of UTF-16 code units to the language, kept as WTF-8.
//!
//! WTF-8 is UTF-8 that also holds halves of surrogate pairs. A text without halves is plain UTF-8, so
//! texts come in and go out without conversion. A half never stands before its other half: joining
//! two texts joins the halves too.

use std::cmp::Ordering;
use std::rc::Rc;

use super::charge::Charge;

const INLINE: usize = 22;

/// An immutable text.
#[derive(Clone)]
pub struct Text(Inner);

#[derive(Clone)]
enum Inner {
    Short(u8, [u8; INLINE]),
    Long(Rc<Long>),
}

struct Long {
    bytes: Box<[u8]>,
    _charge: Charge,
}

impl Text {
    pub const EMPTY: Text = Text(Inner::Short(0, [0; INLINE]));

    /// The text of well-formed WTF-8.
    #[inline]
    pub(crate) fn from_wtf8(bytes: &[u8]) -> Text {
        if bytes.len() <= INLINE {
            let mut short = [0; INLINE];
            short[..bytes.len()].copy_from_slice(bytes);
            Text(Inner::Short(bytes.len() as u8, short))
        } else {
            Text::from_vec(bytes.to_vec())
        }
    }

    pub(crate) fn from_vec(bytes: Vec<u8>) -> Text {
        if bytes.len() <= INLINE {
            return Text::from_wtf8(&bytes);
        }
        Text(Inner::Long(Rc::new(Long {
            _charge: Charge::new(bytes.len() + 48),
            bytes: bytes.into_boxed_slice(),
        })))
    }

    /// The text of UTF-8 in which halves of surrogate pairs stand for themselves, two in a row too.
    pub fn from_generalized_utf8(bytes: &[u8]) -> Text {
        let mut joined = Vec::with_capacity(bytes.len());
        let mut at = 0;
        while at < bytes.len() {
            let width = width(bytes[at]).min(bytes.len() - at);
            push_wtf8(&mut joined, &bytes[at..at + width]);
            at += width;
        }
        Text::from_vec(joined)
    }

    pub fn from_utf16(units: &[u16]) -> Text {
        let mut bytes = Vec::with_capacity(units.len());
        for decoded in char::decode_utf16(units.iter().copied()) {
            match decoded {
                Ok(letter) => push_char(&mut bytes, letter),
                Err(half) => push_half(&mut bytes, half.unpaired_surrogate()),
            }
        }
        Text::from_vec(bytes)
    }

    #[inline]
    pub fn bytes(&self) -> &[u8] {
        match &self.0 {
            Inner::Short(length, bytes) => &bytes[..usize::from(*length)],
            Inner::Long(long) => &long.bytes,
        }
    }

    /// The text as UTF-8, None where it holds half of a surrogate pair.
    pub fn as_str(&self) -> Option<&str> {
        std::str::from_utf8(self.bytes()).ok()
    }

    /// The text as UTF-8, with `?` for halves of surrogate pairs, as Java writes them.
    pub fn to_lossy(&self) -> String {
        match self.as_str() {
            Some(text) => text.to_owned(),
            None => char::decode_utf16(self.to_utf16())
                .map(|letter| letter.unwrap_or('?'))
                .collect(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.bytes().is_empty()
    }

    #[inline]
    pub fn is_ascii(&self) -> bool {
        self.bytes().is_ascii()
    }

    pub fn to_utf16(&self) -> Vec<u16> {
        let bytes = self.bytes();
        if bytes.is_ascii() {
            return bytes.iter().map(|&byte| u16::from(byte)).collect();
        }
        let mut units = Vec::with_capacity(bytes.len());
        for point in self.points() {
            if point < 0x1_0000 {
                units.push(point as u16);
            } else {
                let rest = point - 0x1_0000;
                units.push(0xD800 + (rest >> 10) as u16);
                units.push(0xDC00 + (rest & 0x3FF) as u16);
            }
        }
        units
    }

    /// The length in UTF-16 code units.
    pub fn utf16_len(&self) -> usize {
        let bytes = self.bytes();
        if bytes.is_ascii() {
            return bytes.len();
        }
        self.points()
            .map(|point| 1 + usize::from(point >= 0x1_0000))
            .sum()
    }

    /// How many code points it has; half of a surrogate pair is one.
    pub fn point_count(&self) -> usize {
        let bytes = self.bytes();
        bytes.iter().filter(|&&byte| byte & 0xC0 != 0x80).count()
    }

    /// Its code points, halves of surrogate pairs among them.
    pub fn points(&self) -> impl Iterator<Item = u32> + '_ {
        Points(self.bytes())
    }

    /// The code points from `start` up to `end`.
    pub fn slice_points(&self, start: usize, end: usize) -> Text {
        let bytes = self.bytes();
        if start >= end {
            return Text::EMPTY;
        }
        if bytes.is_ascii() {
            let end = end.min(bytes.len());
            return Text::from_wtf8(&bytes[start.min(end)..end]);
        }
        let offset = |points: usize| {
            let starts = bytes
                .iter()
                .enumerate()
                .filter(|(_, byte)| **byte & 0xC0 != 0x80);
            starts.map(|(at, _)| at).nth(points).unwrap_or(bytes.len())
        };
        let (start, end) = (offset(start), offset(end));
        Text::from_wtf8(&bytes[start..end])
    }

    pub fn concat(&self, other: &Text) -> Text {
        let mut bytes = Vec::with_capacity(self.bytes().len() + other.bytes().len());
        bytes.extend_from_slice(self.bytes());
        push_wtf8(&mut bytes, other.bytes());
        Text::from_vec(bytes)
    }

    /// Whether a byte search for it could meet half of a pair, so that code units must be searched.
    pub(crate) fn has_half(&self) -> bool {
        self.bytes()
            .windows(2)
            .any(|pair| pair[0] == 0xED && pair[1] >= 0xA0)
    }
}

/// Appends well-formed WTF-8, joining halves of a pair that meet.
pub(crate) fn push_wtf8(bytes: &mut Vec<u8>, more: &[u8]) {
    if let ([.., 0xED, second @ 0xA0..=0xAF, third], [0xED, next @ 0xB0..=0xBF, last, ..]) =
        (bytes.as_slice(), more)
    {
        let high = 0xD000 | u32::from(second & 0x3F) << 6 | u32::from(third & 0x3F);
        let low = 0xD000 | u32::from(next & 0x3F) << 6 | u32::from(last & 0x3F);
        let point = 0x1_0000 + ((high - 0xD800) << 10) + (low - 0xDC00);
        bytes.truncate(bytes.len() - 3);
        push_char(
            bytes,
            char::from_u32(point).unwrap_or(char::REPLACEMENT_CHARACTER),
        );
        bytes.extend_from_slice(&more[3..]);
    } else {
        bytes.extend_from_slice(more);
    }
}

/// Appends a code point, half of a surrogate pair too.
pub(crate) fn push_point(bytes: &mut Vec<u8>, point: u32) {
    match char::from_u32(point) {
        Some(letter) => push_char(bytes, letter),
        None => push_half(bytes, point as u16),
    }
}

fn push_char(bytes: &mut Vec<u8>, letter: char) {
    bytes.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
}

fn push_half(bytes: &mut Vec<u8>, half: u16) {
    let encoded = [
        0xE0 | (half >> 12) as u8,
        0x80 | (half >> 6 & 0x3F) as u8,
        0x80 | (half & 0x3F) as u8,
    ];
    push_wtf8(bytes, &encoded);
}

fn width(first: u8) -> usize {
    match first {
        0..=0x7F => 1,
        0x80..=0xDF => 2,
        0xE0..=0xEF => 3,
        _ => 4,
    }
}

struct Points<'a>(&'a [u8]);

impl Iterator for Points<'_> {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        let first = *self.0.first()?;
        let width = width(first).min(self.0.len());
        let mut point = match width {
            1 => u32::from(first),
            2 => u32::from(first & 0x1F),
            3 => u32::from(first & 0x0F),
            _ => u32::from(first & 0x07),
        };
        for byte in &self.0[1..width] {
            point = point << 6 | u32::from(byte & 0x3F);
        }
        self.0 = &self.0[width..];
        Some(point)
    }
}

impl PartialEq for Text {
    #[inline]
    fn eq(&self, other: &Text) -> bool {
        self.bytes() == other.bytes()
    }
}

impl Eq for Text {}

impl std::hash::Hash for Text {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.bytes().hash(state);
    }
}

impl PartialOrd for Text {
    fn partial_cmp(&self, other: &Text) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Text {
    /// The order of the UTF-16 code units.
    fn cmp(&self, other: &Text) -> Ordering {
        let (left, right) = (self.bytes(), other.bytes());
        let Some(at) = left.iter().zip(right).position(|(one, other)| one != other) else {
            return left.len().cmp(&right.len());
        };
        // Bytes order as code points. Only pairs of surrogates, which begin with F0 to F4, come
        // before U+E000 to U+FFFF, which begin with EE and EF.
        let rank = |byte: u8| match byte {
            0xEE | 0xEF => u16::from(byte) + 0x100,
            byte => u16::from(byte),
        };
        let is_lead = left[at] & 0xC0 != 0x80 && right[at] & 0xC0 != 0x80;
        match is_lead {
            true => rank(left[at]).cmp(&rank(right[at])),
            false => left[at].cmp(&right[at]),
        }
    }
}

impl From<&str> for Text {
    #[inline]
    fn from(text: &str) -> Text {
        Text::from_wtf8(text.as_bytes())
    }
}

impl From<String> for Text {
    fn from(text: String) -> Text {
        Text::from_vec(text.into_bytes())
    }
}

impl std::fmt::Debug for Text {
    fn fmt(&self, formatter: &mut std::fmt::Formatter) -> std::fmt::Result {
        write!(formatter, "{:?}", self.to_lossy())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_text_is_its_code_units(left: Vec<u16>, right: Vec<u16>) {
            let (one, other) = (Text::from_utf16(&left), Text::from_utf16(&right));
            prop_assert_eq!(one.to_utf16(), left.clone());
            prop_assert_eq!(one.utf16_len(), left.len());
            prop_assert_eq!(one.cmp(&other), left.cmp(&right));
            let both = [left, right].concat();
            prop_assert_eq!(&one.concat(&other).to_utf16(), &both);
            prop_assert_eq!(one.concat(&other), Text::from_utf16(&both));
        }

        #[test]
        fn surrogates_order_as_code_units(left in "[\u{D000}-\u{FFFF}\u{10000}-\u{10FFF}a]*", right in "[\u{D000}-\u{FFFF}\u{10000}-\u{10FFF}a]*") {
            let (one, other) = (Text::from(left), Text::from(right));
            prop_assert_eq!(one.cmp(&other), one.to_utf16().cmp(&other.to_utf16()));
        }
    }

    #[test]
    fn halves_that_come_apart_are_joined() {
        let apart = [0xED, 0xA0, 0xBD, 0xED, 0xB8, 0x80];
        assert_eq!(Text::from_generalized_utf8(&apart).as_str(), Some("😀"));
        assert_eq!(Text::from_utf16(&[0xD83D]).point_count(), 1);
    }
}
