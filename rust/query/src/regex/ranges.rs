//! Sets of code points (or of code units, for ECMAScript), as sorted ranges.

use std::sync::Arc;

/// The last code point.
pub(super) const LAST: u32 = 0x10_FFFF;

/// A set of code points: ranges with both ends in it, sorted, apart from each other.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Ranges(Vec<(u32, u32)>);

impl Ranges {
    pub fn single(point: u32) -> Ranges {
        Ranges(vec![(point, point)])
    }

    pub fn new(mut pairs: Vec<(u32, u32)>) -> Ranges {
        pairs.sort_unstable();
        let mut merged: Vec<(u32, u32)> = Vec::with_capacity(pairs.len());
        for (first, last) in pairs {
            match merged.last_mut() {
                Some(before) if first <= before.1.saturating_add(1) => {
                    before.1 = before.1.max(last)
                }
                _ => merged.push((first, last)),
            }
        }
        Ranges(merged)
    }

    /// The code points of a text.
    pub fn of(text: &str) -> Ranges {
        Ranges::new(text.chars().map(|c| (c as u32, c as u32)).collect())
    }

    pub fn pairs(&self) -> &[(u32, u32)] {
        &self.0
    }

    pub fn contains(&self, point: u32) -> bool {
        find(&self.0, point)
    }

    /// The largest member.
    pub fn last(&self) -> Option<u32> {
        self.0.last().map(|range| range.1)
    }

    /// The only member, if there is one only.
    pub fn only(&self) -> Option<u32> {
        match self.0[..] {
            [(first, last)] if first == last => Some(first),
            _ => None,
        }
    }

    pub fn union(&self, other: &Ranges) -> Ranges {
        Ranges::new(self.0.iter().chain(&other.0).copied().collect())
    }

    pub fn negate(&self) -> Ranges {
        let mut pairs = Vec::with_capacity(self.0.len() + 1);
        let mut next = 0;
        for &(first, last) in &self.0 {
            if first > next {
                pairs.push((next, first - 1));
            }
            next = last + 1;
        }
        if next <= LAST {
            pairs.push((next, LAST));
        }
        Ranges(pairs)
    }

    pub fn intersect(&self, other: &Ranges) -> Ranges {
        let (mut i, mut j) = (0, 0);
        let mut pairs = Vec::new();
        while let (Some(&a), Some(&b)) = (self.0.get(i), other.0.get(j)) {
            let (first, last) = (a.0.max(b.0), a.1.min(b.1));
            if first <= last {
                pairs.push((first, last));
            }
            if a.1 < b.1 { i += 1 } else { j += 1 }
        }
        Ranges(pairs)
    }

    pub fn subtract(&self, other: &Ranges) -> Ranges {
        self.intersect(&other.negate())
    }
}

fn find(pairs: &[(u32, u32)], point: u32) -> bool {
    let after = pairs.partition_point(|range| range.0 <= point);
    after > 0 && point <= pairs[after - 1].1
}

/// A set that the matcher asks: a bitmap of what is below 256, ranges for the rest.
#[derive(Clone, Debug)]
pub(super) struct CharSet {
    low: [u64; 4],
    high: Box<[(u32, u32)]>,
}

impl CharSet {
    pub fn new(ranges: &Arc<Ranges>) -> CharSet {
        let mut low = [0u64; 4];
        for &(first, last) in &ranges.0 {
            for point in first..=last.min(255) {
                low[(point >> 6) as usize] |= 1 << (point & 63);
            }
        }
        let high = ranges
            .0
            .iter()
            .copied()
            .filter(|range| range.1 > 255)
            .collect();
        CharSet { low, high }
    }

    #[inline]
    pub fn contains(&self, point: u32) -> bool {
        if point < 256 {
            return self.low[(point >> 6) as usize] >> (point & 63) & 1 != 0;
        }
        match self.high[..] {
            [] => false,
            [(first, last)] => first <= point && point <= last,
            _ => find(&self.high, point),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_merged_where_they_touch() {
        let set = Ranges::new(vec![(5, 9), (1, 2), (3, 4), (20, 20)]);
        assert_eq!(set.pairs(), [(1, 9), (20, 20)]);
    }

    #[test]
    fn the_operations_agree_with_their_meaning_for_each_point() {
        let a = Ranges::new(vec![(0, 3), (10, 300), (0x1_0000, LAST)]);
        let b = Ranges::new(vec![(2, 12), (299, 0x1_0001)]);
        for point in (0..400).chain([0xFFFF, 0x1_0000, 0x1_0001, 0x1_0002, LAST]) {
            let (in_a, in_b) = (a.contains(point), b.contains(point));
            assert_eq!(a.union(&b).contains(point), in_a || in_b);
            assert_eq!(a.intersect(&b).contains(point), in_a && in_b);
            assert_eq!(a.subtract(&b).contains(point), in_a && !in_b);
            assert_eq!(a.negate().contains(point), !in_a);
            assert_eq!(CharSet::new(&Arc::new(a.clone())).contains(point), in_a);
        }
    }
}
