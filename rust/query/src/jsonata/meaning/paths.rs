//! Paths: their steps, filters, groups, orders, and the variables bound to items and indices.

use super::super::ancestry::{push_ancestry, sought};
use super::super::ast::{Kind, Node, Stage, Term};
use super::super::error::{Answer, Fault};
use super::super::raw::Raw;
use super::super::text::Text;
use super::super::value::Value;
use super::Meaning;

impl Meaning {
    pub(super) fn path(&mut self, left: Raw, right: Raw) -> Answer<Node> {
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

    pub(super) fn predicate(&mut self, left: Raw, right: Raw) -> Answer<Node> {
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

    pub(super) fn group(&mut self, left: Raw, pairs: Vec<(Raw, Raw)>) -> Answer<Node> {
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

    pub(super) fn order_by(&mut self, left: Raw, terms: Vec<(bool, Raw)>) -> Answer<Node> {
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

    pub(super) fn focus(&mut self, left: Raw, name: &Text, keep_array: bool) -> Answer<Node> {
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

    pub(super) fn index(&mut self, left: Raw, name: &Text) -> Answer<Node> {
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

pub fn name_path(name: &[u8], keep_array: bool) -> Node {
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

fn refuse_literal(step: &Node) -> Answer<()> {
    let value = match step.kind {
        Kind::Number(number) => Value::Number(number),
        Kind::Bool(flag) => Value::Bool(flag),
        Kind::Null => Value::Null,
        _ => return Ok(()),
    };
    Err(Fault::new("S0213").value(&value))
}
