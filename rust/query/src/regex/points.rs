//! Code points in UTF-16: one code unit, or a surrogate pair.

/// Whether the two halves of a surrogate pair are at a place.
pub(super) fn is_pair(text: &[u16], place: usize) -> bool {
    matches!(
        text.get(place..place + 2),
        Some(&[0xD800..=0xDBFF, 0xDC00..=0xDFFF])
    )
}

/// The code point at a place, and its length in code units.
#[inline]
pub(super) fn point_at(text: &[u16], place: usize) -> (u32, u32) {
    let unit = u32::from(text[place]);
    if unit & 0xF800 == 0xD800 && is_pair(text, place) {
        let low = u32::from(text[place + 1]);
        return (0x1_0000 + ((unit - 0xD800) << 10) + (low - 0xDC00), 2);
    }
    (unit, 1)
}

/// The code point before a place, and its length in code units.
pub(super) fn point_before(text: &[u16], place: usize) -> (u32, u32) {
    if place >= 2 && is_pair(text, place - 2) {
        return point_at(text, place - 2);
    }
    (u32::from(text[place - 1]), 1)
}
