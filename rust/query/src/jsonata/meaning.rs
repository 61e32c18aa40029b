//! From the tree of an expression's text to what is evaluated: paths with their steps, tail calls,
//! and where each parent operator (`%`) leads.

use std::collections::HashMap;
use std::sync::Arc;

use super::ancestry::{push_ancestry, sought};
use super::ast::{Ast, Kind, Lambda, Node, Op, SlotId, Stage, Symbol, Term, Transform};
use super::error::{Answer, Fault};
use super::raw::{Raw, RawKind};
use super::text::Text;
use super::value::Value;

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

    fn path(&mut self, left: Raw, right: Raw) -> Answer<Node> {
        let left = self.node(left)?;
        let mut path = match &left.kind {
            Kind::Path { .. } => left,
            Kind::Parent(slot) => {
                let seeking = Some(vec![*slot]);
                sought(path_of(left), seeking)
            }
            _ => path_of(left),
        };
        let mut rest = self.node(right)?;
        let Kind::Path {
            steps,
            keep_singleton,
        } = &mut path.kind
        else {
            return Ok(path);
        };
        match rest.kind {
            Kind::Path { steps: more, .. } => steps.extend(more),
            _ => {
                if let Some(extra) = &mut rest.extra
                    && extra.predicate.is_some()
                {
                    extra.stages = extra.predicate.take();
                }
                steps.push(rest);
            }
        }
        for step in steps.iter_mut() {
            refuse_literal(step)?;
            if let Kind::Text(name) = &mut step.kind {
                step.kind = Kind::Name(std::mem::take(name));
            }
        }
        *keep_singleton |= steps.iter().any(|step| step.keep_array);
        let last = steps.len() - 1;
        for at in [0, last] {
            if matches!(steps[at].kind, Kind::Array(_)) {
                steps[at].is_cons = true;
            }
        }
        self.resolve_ancestry(&mut path)?;
        Ok(path)
    }

    fn predicate(&mut self, left: Raw, right: Raw) -> Answer<Node> {
        let mut result = self.node(left)?;
        let is_path = matches!(result.kind, Kind::Path { .. });
        if last_step(&mut result).group().is_some() {
            return Err(Fault::new("S0209"));
        }
        // jsonata-js has made the list of filters before it reads this one.
        let predicate = self.node(right)?;
        let step = last_step(&mut result);
        if let Some(seeking) = predicate.seeking() {
            for &slot in seeking {
                match self.slots[slot].level {
                    1 => self.seek_parent(step, slot)?,
                    _ => self.slots[slot].level -= 1,
                }
            }
            let mut sought = step.extra_mut().seeking.take();
            push_ancestry(&mut sought, &predicate);
            step.extra_mut().seeking = sought;
        }
        let extra = step.extra_mut();
        let stages = if is_path {
            &mut extra.stages
        } else {
            &mut extra.predicate
        };
        stages
            .get_or_insert_default()
            .push(Stage::Filter(predicate));
        Ok(result)
    }

    fn group(&mut self, left: Raw, pairs: Vec<(Raw, Raw)>) -> Answer<Node> {
        let mut result = self.node(left)?;
        if result.group().is_some() {
            return Err(Fault::new("S0210"));
        }
        let mut found = Vec::with_capacity(pairs.len());
        for (name, value) in pairs {
            found.push((self.node(name)?, self.node(value)?));
        }
        result.extra_mut().group = Some(found);
        Ok(result)
    }

    fn order_by(&mut self, left: Raw, terms: Vec<(bool, Raw)>) -> Answer<Node> {
        let left = self.node(left)?;
        let mut path = match left.kind {
            Kind::Path { .. } => left,
            _ => path_of(left),
        };
        let mut seeking = None;
        let mut found = Vec::with_capacity(terms.len());
        for (is_descending, term) in terms {
            let expression = self.node(term)?;
            push_ancestry(&mut seeking, &expression);
            found.push(Term {
                is_descending,
                expression,
            });
        }
        if let Kind::Path { steps, .. } = &mut path.kind {
            steps.push(sought(Node::new(Kind::Sort(found)), seeking));
        }
        self.resolve_ancestry(&mut path)?;
        Ok(path)
    }

    fn focus(&mut self, left: Raw, name: &Text, keep_array: bool) -> Answer<Node> {
        let mut result = self.node(left)?;
        let step = last_step(&mut result);
        if step.stages().is_some() || step.predicate().is_some() {
            return Err(Fault::new("S0215"));
        }
        if matches!(step.kind, Kind::Sort(_)) {
            return Err(Fault::new("S0216"));
        }
        step.keep_array |= keep_array;
        let name = self.symbol(name.bytes());
        let extra = step.extra_mut();
        (extra.focus, extra.is_tuple) = (Some(name), true);
        Ok(result)
    }

    fn index(&mut self, left: Raw, name: &Text) -> Answer<Node> {
        let left = self.node(left)?;
        let mut result = match left.kind {
            Kind::Path { .. } => left,
            _ => {
                let mut left = left;
                if left.predicate().is_some() {
                    let extra = left.extra_mut();
                    extra.stages = extra.predicate.take();
                }
                path_of(left)
            }
        };
        let name = self.symbol(name.bytes());
        let extra = last_step(&mut result).extra_mut();
        match &mut extra.stages {
            None => extra.index = Some(name),
            Some(stages) => stages.push(Stage::Index(name)),
        }
        extra.is_tuple = true;
        Ok(result)
    }
}

fn name_path(name: &[u8], keep_array: bool) -> Node {
    let step = Node {
        keep_array,
        ..Node::new(Kind::Name(name.into()))
    };
    Node::new(Kind::Path {
        steps: vec![step],
        keep_singleton: keep_array,
    })
}

fn path_of(step: Node) -> Node {
    Node::new(Kind::Path {
        steps: vec![step],
        keep_singleton: false,
    })
}

fn right_name(raw: &Raw) -> Text {
    match &raw.kind {
        RawKind::Variable(name) => name.clone(),
        _ => Text::EMPTY,
    }
}

fn last_step(node: &mut Node) -> &mut Node {
    match &node.kind {
        Kind::Path { .. } => match &mut node.kind {
            Kind::Path { steps, .. } => {
                let last = steps.len() - 1;
                &mut steps[last]
            }
            _ => unreachable!("it was a path just now"),
        },
        _ => node,
    }
}

fn first_step(node: &Node) -> Option<&Node> {
    match &node.kind {
        Kind::Path { steps, .. } => steps.first(),
        _ => None,
    }
}

fn refuse_literal(step: &Node) -> Answer<()> {
    let value = match step.kind {
        Kind::Number(number) => Value::Number(number),
        Kind::Bool(flag) => Value::Bool(flag),
        Kind::Null => Value::Null,
        _ => return Ok(()),
    };
    Err(Fault::new("S0213").value(&value))
}

/// Calls in tail position are made after the function has ended, so that they take no depth.
fn tail_calls(mut node: Node) -> Node {
    if matches!(node.kind, Kind::Call { .. }) && node.predicate().is_none() {
        return Node::new(Kind::Thunk(Arc::new(node)));
    }
    match &mut node.kind {
        Kind::Condition {
            then, otherwise, ..
        } => {
            optimise(then);
            if let Some(otherwise) = otherwise {
                optimise(otherwise);
            }
        }
        Kind::Block(expressions) => {
            if let Some(last) = expressions.last_mut() {
                optimise(last);
            }
        }
        _ => {}
    }
    node
}

fn optimise(node: &mut Node) {
    let inner = std::mem::replace(node, Node::new(Kind::Null));
    *node = tail_calls(inner);
}
