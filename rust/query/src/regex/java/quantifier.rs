//! Quantifiers, and what Java makes of what they stand after.

use super::{Parser, Problem, Result2, length};
use crate::regex::ast::{EmptyIteration, Kind, Node, Repeat, Sign, UNBOUNDED};

/// Java's `MAX_REPS`, and what its numbers must not exceed.
const MOST: u32 = i32::MAX as u32;

/// A quantifier that was read.
struct Quantifier {
    least: u32,
    most: u32,
    kind: Kind,
    sign: Sign,
}

impl Parser {
    /// A term that is no group, with the quantifier that follows.
    pub(super) fn quantified(&mut self, node: Node, first_group: u32) -> Result2<Node> {
        let Some(quantifier) = self.quantifier()? else {
            return Ok(node);
        };
        // What is repeated is matched in one way only.
        let node = match node {
            Node::LineEnding => Node::Atomic(Box::new(node)),
            _ => node,
        };
        Ok(Node::Repeat(Box::new(Repeat {
            node,
            least: quantifier.least,
            most: quantifier.most,
            kind: quantifier.kind,
            groups: (first_group, self.groups),
            empty: EmptyIteration::Leaves,
            sign: quantifier.sign,
            is_group: false,
        })))
    }

    /// A group, with the quantifier that follows.
    pub(super) fn quantified_group(
        &mut self,
        node: Node,
        first_group: u32,
        captures: bool,
    ) -> Result2<Node> {
        let Some(quantifier) = self.quantifier()? else {
            return Ok(node);
        };
        let mut empty = EmptyIteration::Leaves;
        let mut node = node;
        if quantifier.kind == Kind::Possessive {
            node = Node::Atomic(Box::new(node));
        } else if quantifier.sign == Sign::Counted && length::lengths(&node).is_deterministic {
            // Java has a simpler loop for these: an empty iteration is none.
            empty = EmptyIteration::Fails;
            node = match node {
                Node::Capture(group, inner) if captures => {
                    Node::Capture(group, Box::new(Node::Atomic(inner)))
                }
                other => Node::Atomic(Box::new(other)),
            };
        }
        Ok(Node::Repeat(Box::new(Repeat {
            node,
            least: quantifier.least,
            most: quantifier.most,
            kind: quantifier.kind,
            groups: (first_group, self.groups),
            empty,
            sign: quantifier.sign,
            is_group: true,
        })))
    }

    fn quantifier(&mut self) -> Result2<Option<Quantifier>> {
        let (least, most, sign) = match u8::try_from(self.cursor.peek()).unwrap_or(0xFF) {
            b'?' => (0, 1, Sign::Optional),
            b'*' => (0, UNBOUNDED, Sign::Counted),
            b'+' => (1, UNBOUNDED, Sign::Counted),
            b'{' => {
                let (least, most) = self.bounds()?;
                // Java reads `{0,1}` as `?`.
                let is_optional = (least, most) == (0, 1);
                (
                    least,
                    most,
                    if is_optional {
                        Sign::Optional
                    } else {
                        Sign::Counted
                    },
                )
            }
            _ => return Ok(None),
        };
        let kind = match u8::try_from(self.cursor.next()).unwrap_or(0xFF) {
            b'?' => Kind::Lazy,
            b'+' => Kind::Possessive,
            _ => Kind::Greedy,
        };
        if kind != Kind::Greedy {
            self.cursor.next();
        }
        Ok(Some(Quantifier {
            least,
            most,
            kind,
            sign,
        }))
    }

    /// The bounds of `{n}`, `{n,}` or `{n,m}`, up to its `}`.
    fn bounds(&mut self) -> Result2<(u32, u32)> {
        let first = self.cursor.skip();
        let Some(first) = decimal(first) else {
            return Err(Problem::new("Illegal repetition"));
        };
        let mut least = first;
        let mut point = self.cursor.read();
        while let Some(digit) = decimal(point) {
            least = append(least, digit)?;
            point = self.cursor.read();
        }
        let mut most = least;
        if point == u32::from(b',') {
            point = self.cursor.read();
            most = UNBOUNDED;
            if point != u32::from(b'}') {
                most = 0;
                while let Some(digit) = decimal(point) {
                    most = append(most, digit)?;
                    point = self.cursor.read();
                }
            }
        }
        if point != u32::from(b'}') {
            return Err(Problem::new("Unclosed counted closure"));
        }
        if most < least {
            return Err(Problem::new("Illegal repetition range"));
        }
        self.cursor.unread();
        Ok((least, most))
    }
}

fn decimal(point: u32) -> Option<u32> {
    char::from_u32(point).and_then(|c| c.to_digit(10))
}

fn append(number: u32, digit: u32) -> Result2<u32> {
    let longer = number
        .checked_mul(10)
        .and_then(|tens| tens.checked_add(digit));
    longer
        .filter(|&number| number <= MOST)
        .ok_or_else(|| Problem::new("Illegal repetition range"))
}
