//! From the tree of an expression's text to what is evaluated.
//!
//! `paths` makes paths of steps, `tail_calls` finds the calls that take no depth, and
//! [`super::ancestry`] where each parent operator (`%`) leads.

use std::collections::HashMap;
use std::sync::Arc;

use super::ancestry::{push_ancestry, sought};
use super::ast::{Ast, Kind, Lambda, Node, Op, SlotId, Symbol, Transform};
use super::error::{Answer, Fault};
use super::raw::{Raw, RawKind};
use super::text::Text;

mod paths;
mod tail_calls;

use paths::name_path;
use tail_calls::tail_calls;

/// Where a parent operator's value is kept, and how many levels it is still to go up.
pub struct Slot {
    pub label: Symbol,
    pub level: isize,
}

#[derive(Default)]
pub struct Meaning {
    pub slots: Vec<Slot>,
    symbols: Vec<Box<[u8]>>,
    known: HashMap<Box<[u8]>, Symbol>,
}

pub fn of(raw: Raw) -> Answer<Ast> {
    let mut meaning = Meaning::default();
    let root = meaning.node(raw)?;
    if matches!(root.kind, Kind::Parent(_)) || root.seeking().is_some() {
        return Err(Fault::new("S0217"));
    }
    let slots = meaning.slots.iter().map(|slot| slot.label).collect();
    Ok(Ast {
        root,
        symbols: meaning.symbols,
        slots,
    })
}

impl Meaning {
    fn symbol(&mut self, name: &[u8]) -> Symbol {
        if let Some(&symbol) = self.known.get(name) {
            return symbol;
        }
        let symbol = self.symbols.len() as Symbol;
        self.symbols.push(name.into());
        self.known.insert(name.into(), symbol);
        symbol
    }

    fn node(&mut self, raw: Raw) -> Answer<Node> {
        stacker::maybe_grow(128 << 10, 2 << 20, || self.node_here(raw))
    }

    fn boxed(&mut self, raw: Raw) -> Answer<Box<Node>> {
        self.node(raw).map(Box::new)
    }

    fn node_here(&mut self, raw: Raw) -> Answer<Node> {
        let keep_array = raw.keep_array;
        let mut node = match raw.kind {
            RawKind::Binary(sign, left, right) => self.binary(sign, *left, *right, keep_array)?,
            RawKind::Group(left, pairs) => self.group(*left, pairs)?,
            RawKind::OrderBy(left, terms) => self.order_by(*left, terms)?,
            RawKind::Name(name) => name_path(name.bytes(), keep_array),
            RawKind::Operator("?") => Node::new(Kind::Placeholder),
            RawKind::Operator(sign) => name_path(sign.as_bytes(), keep_array),
            RawKind::End => return Err(Fault::new("S0207")),
            kind => self.other(kind)?,
        };
        node.keep_array |= keep_array;
        Ok(node)
    }

    fn other(&mut self, kind: RawKind) -> Answer<Node> {
        Ok(match kind {
            RawKind::Variable(name) if name.is_empty() => Node::new(Kind::Context),
            RawKind::Variable(name) => Node::new(Kind::Variable(self.symbol(name.bytes()))),
            RawKind::Text(text) => Node::new(Kind::Text(text.bytes().into())),
            RawKind::Number(number) => Node::new(Kind::Number(number)),
            RawKind::Bool(flag) => Node::new(Kind::Bool(flag)),
            RawKind::Regex(regex) => Node::new(Kind::Regex(regex)),
            RawKind::Wildcard => Node::new(Kind::Wildcard),
            RawKind::Descendant => Node::new(Kind::Descendant),
            RawKind::Parent => {
                let label = self.symbol(format!("!{}", self.slots.len()).as_bytes());
                self.slots.push(Slot { label, level: 1 });
                Node::new(Kind::Parent(self.slots.len() - 1))
            }
            RawKind::Negate(operand) => self.negate(*operand)?,
            RawKind::Array(items) => {
                let (items, seeking) = self.list(items)?;
                sought(Node::new(Kind::Array(items)), seeking)
            }
            RawKind::Object(pairs) => {
                let mut seeking = None;
                let mut found = Vec::with_capacity(pairs.len());
                for (name, value) in pairs {
                    let (name, value) = (self.node(name)?, self.node(value)?);
                    push_ancestry(&mut seeking, &name);
                    push_ancestry(&mut seeking, &value);
                    found.push((name, value));
                }
                sought(Node::new(Kind::Object(found)), seeking)
            }
            RawKind::Block(expressions) => {
                let (expressions, seeking) = self.list(expressions)?;
                let is_cons = expressions
                    .iter()
                    .any(|node| node.is_cons || first_step(node).is_some_and(|step| step.is_cons));
                let mut block = sought(Node::new(Kind::Block(expressions)), seeking);
                block.is_cons = is_cons;
                block
            }
            RawKind::Call(procedure, arguments) => {
                let (arguments, seeking) = self.list(arguments)?;
                let procedure = self.boxed(*procedure)?;
                sought(
                    Node::new(Kind::Call {
                        procedure,
                        arguments,
                    }),
                    seeking,
                )
            }
            RawKind::Partial(procedure, arguments) => {
                let (arguments, seeking) = self.list(arguments)?;
                let procedure = self.boxed(*procedure)?;
                sought(
                    Node::new(Kind::Partial {
                        procedure,
                        arguments,
                    }),
                    seeking,
                )
            }
            RawKind::Lambda {
                parameters,
                signature,
                body,
            } => {
                let parameters = parameters
                    .iter()
                    .map(|name| self.symbol(name.bytes()))
                    .collect();
                let body = tail_calls(self.node(*body)?);
                Node::new(Kind::Lambda(Arc::new(Lambda {
                    parameters,
                    signature,
                    body,
                })))
            }
            RawKind::Condition(condition, then, otherwise) => {
                let mut seeking = None;
                let condition = self.boxed(*condition)?;
                push_ancestry(&mut seeking, &condition);
                let then = self.boxed(*then)?;
                push_ancestry(&mut seeking, &then);
                let otherwise = otherwise
                    .map(|otherwise| self.boxed(*otherwise))
                    .transpose()?;
                if let Some(otherwise) = &otherwise {
                    push_ancestry(&mut seeking, otherwise);
                }
                sought(
                    Node::new(Kind::Condition {
                        condition,
                        then,
                        otherwise,
                    }),
                    seeking,
                )
            }
            RawKind::Transform(pattern, update, delete) => {
                let (pattern, update) = (self.node(*pattern)?, self.node(*update)?);
                let delete = delete.map(|delete| self.node(*delete)).transpose()?;
                Node::new(Kind::Transform(Arc::new(Transform {
                    pattern,
                    update,
                    delete,
                })))
            }
            _ => Node::new(Kind::Null),
        })
    }

    fn list(&mut self, items: Vec<Raw>) -> Answer<(Vec<Node>, Option<Vec<SlotId>>)> {
        let mut seeking = None;
        let mut nodes = Vec::with_capacity(items.len());
        for item in items {
            let node = self.node(item)?;
            push_ancestry(&mut seeking, &node);
            nodes.push(node);
        }
        Ok((nodes, seeking))
    }

    fn negate(&mut self, operand: Raw) -> Answer<Node> {
        let mut operand = self.node(operand)?;
        if let Kind::Number(number) = &mut operand.kind {
            *number = -*number;
            return Ok(operand);
        }
        let mut seeking = None;
        push_ancestry(&mut seeking, &operand);
        Ok(sought(Node::new(Kind::Negate(Box::new(operand))), seeking))
    }

    fn binary(&mut self, sign: &str, left: Raw, right: Raw, keep_array: bool) -> Answer<Node> {
        match sign {
            "." => self.path(left, right),
            "[" => self.predicate(left, right),
            ":=" => {
                let name = self.variable(&right_name(&left));
                self.node(left)?;
                let value = self.boxed(right)?;
                let mut seeking = None;
                push_ancestry(&mut seeking, &value);
                Ok(sought(Node::new(Kind::Bind { name, value }), seeking))
            }
            "@" => self.focus(left, &right_name(&right), keep_array),
            "#" => self.index(left, &right_name(&right)),
            "~>" => {
                let (lhs, rhs) = (self.boxed(left)?, self.boxed(right)?);
                let keep_array = lhs.keep_array || rhs.keep_array;
                Ok(Node {
                    keep_array,
                    ..Node::new(Kind::Apply { lhs, rhs })
                })
            }
            sign => {
                let (lhs, rhs) = (self.boxed(left)?, self.boxed(right)?);
                let mut seeking = None;
                push_ancestry(&mut seeking, &lhs);
                push_ancestry(&mut seeking, &rhs);
                let op = Op::of(sign).ok_or_else(|| Fault::new("S0201").token(sign))?;
                Ok(sought(Node::new(Kind::Binary { op, lhs, rhs }), seeking))
            }
        }
    }

    fn variable(&mut self, name: &Text) -> Symbol {
        self.symbol(name.bytes())
    }
}

fn right_name(raw: &Raw) -> Text {
    match &raw.kind {
        RawKind::Variable(name) => name.clone(),
        _ => Text::EMPTY,
    }
}

fn first_step(node: &Node) -> Option<&Node> {
    match &node.kind {
        Kind::Path { steps, .. } => steps.first(),
        _ => None,
    }
}
