//! From the tree of a pattern to its program.

use std::collections::HashMap;
use std::sync::Arc;

use super::Dialect;
use super::analysis::{self, may_be_empty};
use super::ast::{Direction, EmptyIteration, Kind, Look, Node, Parsed, Reads, Repeat, UNBOUNDED};
use super::java;
use super::program::{Address, First, Instruction, Loop, One, Program, Register, Run, Within};
use super::ranges::{CharSet, Ranges};

pub(super) fn compile(parsed: &Parsed, dialect: Dialect, by_points: bool) -> Program {
    let mut compiler = Compiler {
        code: Vec::new(),
        sets: Vec::new(),
        known: HashMap::new(),
        registers: parsed.groups * 2,
        dialect,
        back: false,
    };
    compiler.node(&parsed.node);
    compiler.emit(Instruction::Accept);
    Program {
        first: analysis::first(&parsed.node, dialect).map(first),
        anchored: analysis::is_anchored(&parsed.node),
        code: compiler.code,
        sets: compiler.sets,
        registers: compiler.registers as usize,
        groups: parsed.groups as usize,
        by_points,
        commits_groups: dialect == Dialect::Java,
    }
}

fn first(units: Ranges) -> First {
    match units.only() {
        Some(unit) => First::Unit(unit as u16),
        None => First::Set(CharSet::new(&Arc::new(units))),
    }
}

struct Compiler {
    code: Vec<Instruction>,
    sets: Vec<CharSet>,
    known: HashMap<Arc<Ranges>, u32>,
    registers: u32,
    dialect: Dialect,
    /// Whether a look-behind of ECMAScript is being compiled, which goes from the end to the start.
    back: bool,
}

impl Compiler {
    fn emit(&mut self, instruction: Instruction) -> usize {
        self.code.push(instruction);
        self.code.len() - 1
    }

    fn here(&self) -> Address {
        self.code.len() as Address
    }

    fn register(&mut self) -> Register {
        self.registers += 1;
        self.registers - 1
    }

    fn set(&mut self, ranges: &Arc<Ranges>) -> u32 {
        if let Some(&known) = self.known.get(ranges) {
            return known;
        }
        self.sets.push(CharSet::new(ranges));
        let index = self.sets.len() as u32 - 1;
        self.known.insert(ranges.clone(), index);
        index
    }

    fn node(&mut self, node: &Node) {
        match node {
            Node::Empty => {}
            Node::Unit(_) | Node::Set(..) => {
                if let Some(one) = self.one(node) {
                    self.single(one);
                }
            }
            Node::Sequence(nodes) => self.sequence(nodes),
            Node::Alternatives(nodes) => self.alternatives(nodes),
            Node::Capture(group, inner) => self.capture(*group, inner),
            Node::Repeat(repeat) => self.repeat(repeat),
            Node::Look(look) => self.look(look),
            Node::Atomic(inner) => self.atomic(|this| this.node(inner)),
            &Node::BackReference(group, fold) => {
                let back = self.back;
                self.emit(Instruction::BackReference { group, fold, back });
            }
            Node::Assert(assertion) => {
                self.emit(Instruction::Assert(*assertion));
            }
            Node::LineEnding => self.node(&java::line_ending()),
            Node::Grapheme => {
                self.emit(Instruction::Grapheme);
            }
        }
    }

    /// The single character that a node is.
    fn one(&mut self, node: &Node) -> Option<One> {
        match node {
            Node::Unit(unit) => Some(One::Unit(*unit)),
            Node::Set(ranges, reads) => {
                let reads = match ranges.last() {
                    // Without surrogates and what is beyond 16 bits, a code unit is a code point.
                    Some(last) if *reads == Reads::Points && last < 0xD800 => Reads::Units,
                    _ => *reads,
                };
                match (ranges.only(), reads) {
                    (Some(unit), Reads::Units) => Some(One::Unit(unit as u16)),
                    _ => Some(One::Set(self.set(ranges), reads)),
                }
            }
            _ => None,
        }
    }

    fn single(&mut self, one: One) {
        self.emit(match self.back {
            true => Instruction::OneBack(one),
            false => Instruction::One(one),
        });
    }

    fn sequence(&mut self, nodes: &[Node]) {
        if self.back {
            for node in nodes.iter().rev() {
                self.node(node);
            }
            return;
        }
        let mut rest = nodes;
        while let Some(node) = rest.first() {
            let units: Box<[u16]> = rest.iter().map_while(as_unit).collect();
            if units.len() > 1 {
                rest = &rest[units.len()..];
                self.emit(Instruction::Units(units));
            } else {
                rest = &rest[1..];
                self.node(node);
            }
        }
    }

    fn alternatives(&mut self, nodes: &[Node]) {
        let Some((last, others)) = nodes.split_last() else {
            return;
        };
        let mut ends = Vec::with_capacity(others.len());
        for node in others {
            let attempt = self.emit(Instruction::Try(0));
            self.node(node);
            ends.push(self.emit(Instruction::Jump(0)));
            self.code[attempt] = Instruction::Try(self.here());
        }
        self.node(last);
        for end in ends {
            self.code[end] = Instruction::Jump(self.here());
        }
    }

    fn capture(&mut self, group: u32, inner: &Node) {
        let (start, end) = (group * 2, group * 2 + 1);
        if self.dialect == Dialect::EcmaScript {
            // Both are without a value here: an iteration clears the groups in it.
            let (before, after) = if self.back {
                (end, start)
            } else {
                (start, end)
            };
            self.emit(Instruction::Save(before));
            self.node(inner);
            self.emit(Instruction::Save(after));
        } else {
            let opened = self.register();
            self.emit(Instruction::Save(opened));
            self.node(inner);
            self.emit(Instruction::Close(group, opened));
        }
    }

    fn atomic(&mut self, inner: impl FnOnce(&mut Self)) {
        let height = self.register();
        self.emit(Instruction::Mark(height));
        inner(self);
        self.emit(Instruction::Cut(height));
    }

    fn look(&mut self, look: &Look) {
        let was = self.back;
        self.back = look.direction == Direction::Behind;
        let height = self.register();
        if look.negated {
            let unless = self.emit(Instruction::Unless(height, 0));
            self.look_body(look);
            self.emit(Instruction::Found(height));
            self.code[unless] = Instruction::Unless(height, self.here());
        } else {
            let place = self.register();
            self.emit(Instruction::Save(place));
            self.emit(Instruction::Mark(height));
            self.look_body(look);
            self.emit(Instruction::Cut(height));
            self.emit(Instruction::Return(place));
        }
        self.back = was;
    }

    fn look_body(&mut self, look: &Look) {
        let Direction::Within {
            least,
            most,
            by_points,
        } = look.direction
        else {
            return self.node(&look.node);
        };
        let end = self.register();
        self.emit(Instruction::Save(end));
        self.emit(Instruction::Within(Box::new(Within {
            least,
            most,
            by_points,
        })));
        self.node(&look.node);
        self.emit(Instruction::At(end));
    }

    fn repeat(&mut self, repeat: &Repeat) {
        if repeat.most == 0 {
            return;
        }
        if let Some(one) = self.one(&repeat.node) {
            return self.run(repeat, one);
        }
        match repeat.kind {
            Kind::Possessive => self.atomic(|this| this.general(repeat)),
            _ => self.general(repeat),
        }
    }

    fn run(&mut self, repeat: &Repeat, one: One) {
        if (repeat.least, repeat.most) == (1, 1) {
            return self.single(one);
        }
        self.emit(Instruction::Run(Box::new(Run {
            one,
            least: repeat.least,
            most: repeat.most,
            kind: repeat.kind,
            back: self.back,
        })));
    }

    fn general(&mut self, repeat: &Repeat) {
        let may_be_empty = may_be_empty(&repeat.node);
        match (repeat.least, repeat.most) {
            (1, 1) => self.node(&repeat.node),
            (0, 1) => self.optional(repeat, may_be_empty),
            (0, UNBOUNDED) => self.star(repeat, may_be_empty),
            (1, UNBOUNDED) if !may_be_empty => self.plus(repeat),
            _ => self.counted(repeat, may_be_empty),
        }
    }

    fn optional(&mut self, repeat: &Repeat, may_be_empty: bool) {
        let attempt = self.branch(repeat.kind);
        if may_be_empty && repeat.empty == EmptyIteration::Fails {
            let start = self.register();
            self.emit(Instruction::Save(start));
            self.iteration(repeat);
            self.emit(Instruction::FailIfEmpty(start));
        } else {
            self.iteration(repeat);
        }
        self.land(attempt, repeat.kind);
    }

    fn star(&mut self, repeat: &Repeat, may_be_empty: bool) {
        let again = self.here();
        let attempt = self.branch(repeat.kind);
        let mut leave = None;
        if may_be_empty {
            let start = self.register();
            self.emit(Instruction::Save(start));
            self.iteration(repeat);
            if repeat.empty == EmptyIteration::Fails {
                self.emit(Instruction::FailIfEmpty(start));
            } else {
                leave = Some((self.emit(Instruction::LeaveIfEmpty(start, 0)), start));
            }
        } else {
            self.iteration(repeat);
        }
        self.emit(Instruction::Jump(again));
        self.land(attempt, repeat.kind);
        if let Some((at, start)) = leave {
            self.code[at] = Instruction::LeaveIfEmpty(start, self.here());
        }
    }

    fn plus(&mut self, repeat: &Repeat) {
        let again = self.here();
        self.iteration(repeat);
        self.emit(match repeat.kind {
            Kind::Lazy => Instruction::Try(again),
            _ => Instruction::TryAt(again),
        });
    }

    fn counted(&mut self, repeat: &Repeat, may_be_empty: bool) {
        // Without characters and groups, one iteration is as good as many.
        let is_place = matches!(repeat.node, Node::Assert(_) | Node::Look(_) | Node::Empty);
        let least = match is_place && repeat.groups.0 == repeat.groups.1 {
            true => repeat.least.min(1),
            false => repeat.least,
        };
        let (count, start) = (self.register(), self.register());
        self.emit(Instruction::Enter(count));
        let again = self.emit(Instruction::Accept);
        self.emit(Instruction::Iterate { count, start });
        self.iteration(repeat);
        let end = self.emit(Instruction::Jump(again as Address));
        if may_be_empty {
            self.emit(Instruction::Jump(again as Address));
        }
        let exit = self.here();
        if may_be_empty {
            self.code[end] = match repeat.empty {
                EmptyIteration::Fails => Instruction::EndNeeded {
                    count,
                    start,
                    least,
                },
                EmptyIteration::Leaves => Instruction::LeaveIfEmpty(start, exit),
            };
        }
        self.code[again] = Instruction::Loop(Box::new(Loop {
            count,
            least,
            most: repeat.most,
            lazy: repeat.kind == Kind::Lazy,
            exit,
        }));
    }

    /// One iteration; in ECMAScript the groups in it lose their values first.
    fn iteration(&mut self, repeat: &Repeat) {
        let (from, to) = repeat.groups;
        if from < to && self.dialect == Dialect::EcmaScript {
            self.emit(Instruction::Clear(from * 2, to * 2));
        }
        self.node(&repeat.node);
    }

    /// A choice between an iteration, which follows, and leaving; [`Compiler::land`] fills it in.
    fn branch(&mut self, kind: Kind) -> usize {
        match kind {
            Kind::Lazy => self.emit(Instruction::TryAt(0)),
            _ => self.emit(Instruction::Try(0)),
        }
    }

    fn land(&mut self, branch: usize, kind: Kind) {
        self.code[branch] = match kind {
            Kind::Lazy => Instruction::TryAt(self.here()),
            _ => Instruction::Try(self.here()),
        };
    }
}

fn as_unit(node: &Node) -> Option<u16> {
    match node {
        Node::Unit(unit) => Some(*unit),
        _ => None,
    }
}
