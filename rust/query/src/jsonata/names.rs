//! What an expression reads from outside itself: variables, parts of `$states`, and the context
//! item that Step Functions does not have (ASL A4.17, A4.18).

use std::collections::{BTreeMap, BTreeSet};

use super::ast::{Ast, Kind, Node, Stage, Symbol};

/// The names that one expression reads. Variables are without their `$`.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Names {
    /// Variables that it reads and does not bind itself, functions among them; `$states` is not.
    pub variables: BTreeSet<String>,
    /// What it reads of `$states`.
    pub states: Use,
    /// Names read from the context item, in order; `$` for the item itself.
    pub context: Vec<String>,
    /// Whether `$$` stands in it.
    pub root: bool,
    /// Variables that it binds itself.
    pub bound: BTreeSet<String>,
}

/// How much of a value is read: all of it, or these fields of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Use {
    Whole,
    Fields(BTreeMap<String, Use>),
}

impl Default for Use {
    fn default() -> Self {
        Use::Fields(BTreeMap::new())
    }
}

impl Use {
    pub fn field(&self, name: &str) -> Option<&Use> {
        match self {
            Use::Whole => Some(self),
            Use::Fields(fields) => fields.get(name),
        }
    }

    fn add(&mut self, path: &[String]) {
        let Use::Fields(fields) = self else { return };
        match path {
            [] => *self = Use::Whole,
            [name, rest @ ..] => fields.entry(name.clone()).or_default().add(rest),
        }
    }
}

/// The names that `ast` reads.
pub fn of(ast: &Ast) -> Names {
    let mut reader = Reader {
        ast,
        names: Names::default(),
        has_ancestors: false,
    };
    reader.node(&ast.root, true);
    let mut names = reader.names;
    for bound in &names.bound {
        names.variables.remove(bound);
    }
    if reader.has_ancestors {
        // `%` climbs back to values that no path names.
        names.states.add(&[]);
    }
    names
}

struct Reader<'a> {
    ast: &'a Ast,
    names: Names,
    has_ancestors: bool,
}

impl Reader<'_> {
    /// `is_top`: whether names are read from the context item here.
    fn node(&mut self, node: &Node, is_top: bool) {
        stacker::maybe_grow(64 << 10, 1 << 20, || self.kind(node, is_top));
        self.filters(node);
        let Some(extra) = &node.extra else { return };
        for (key, value) in extra.group.iter().flatten() {
            self.node(key, false);
            self.node(value, false);
        }
    }

    fn kind(&mut self, node: &Node, is_top: bool) {
        match &node.kind {
            Kind::Name(name) => self.context(&String::from_utf8_lossy(name), is_top),
            Kind::Context => self.context("$", is_top),
            Kind::Variable(name) => self.variable(*name),
            Kind::Parent(_) => self.has_ancestors = true,
            Kind::Path { steps, .. } => self.path(steps, is_top),
            Kind::Binary { lhs, rhs, .. } | Kind::Apply { lhs, rhs } => {
                self.node(lhs, is_top);
                self.node(rhs, is_top);
            }
            Kind::Negate(operand) => self.node(operand, is_top),
            Kind::Array(nodes) | Kind::Block(nodes) => self.each(nodes, is_top),
            Kind::Object(pairs) => pairs.iter().for_each(|(key, value)| {
                self.node(key, is_top);
                self.node(value, is_top);
            }),
            Kind::Condition {
                condition,
                then,
                otherwise,
            } => {
                self.node(condition, is_top);
                self.node(then, is_top);
                if let Some(otherwise) = otherwise {
                    self.node(otherwise, is_top);
                }
            }
            Kind::Bind { name, value } => {
                self.bind(*name);
                self.node(value, is_top);
            }
            Kind::Call {
                procedure,
                arguments,
            }
            | Kind::Partial {
                procedure,
                arguments,
            } => {
                self.node(procedure, is_top);
                self.each(arguments, is_top);
            }
            Kind::Lambda(lambda) => {
                lambda.parameters.iter().for_each(|&name| self.bind(name));
                self.node(&lambda.body, is_top);
            }
            Kind::Thunk(call) => self.node(call, is_top),
            Kind::Transform(transform) => {
                self.node(&transform.pattern, false);
                self.node(&transform.update, false);
                if let Some(delete) = &transform.delete {
                    self.node(delete, false);
                }
            }
            Kind::Sort(terms) => terms
                .iter()
                .for_each(|term| self.node(&term.expression, false)),
            Kind::Text(_)
            | Kind::Number(_)
            | Kind::Null
            | Kind::Bool(_)
            | Kind::Wildcard
            | Kind::Descendant
            | Kind::Regex(_)
            | Kind::Placeholder => {}
        }
    }

    fn path(&mut self, steps: &[Node], is_top: bool) {
        let is_states =
            matches!(&steps[0].kind, Kind::Variable(name) if self.name(*name) == "states");
        if is_states {
            self.names.states.add(&fields_after(steps));
        }
        for (at, step) in steps.iter().enumerate() {
            match at == 0 && is_states {
                // Its filters are read all the same.
                true => self.filters(step),
                false => self.node(step, is_top && at == 0),
            }
        }
    }

    fn filters(&mut self, step: &Node) {
        let Some(extra) = &step.extra else { return };
        for name in extra.focus.iter().chain(&extra.index) {
            self.bind(*name);
        }
        for stage in extra.predicate.iter().chain(&extra.stages).flatten() {
            match stage {
                Stage::Filter(predicate) => self.node(predicate, false),
                Stage::Index(name) => self.bind(*name),
            }
        }
    }

    fn name(&self, symbol: Symbol) -> String {
        String::from_utf8_lossy(&self.ast.symbols[symbol as usize]).into_owned()
    }

    fn variable(&mut self, symbol: Symbol) {
        match self.name(symbol) {
            name if name == "$" => self.names.root = true,
            name if name == "states" => self.names.states.add(&[]),
            name => drop(self.names.variables.insert(name)),
        }
    }

    fn context(&mut self, name: &str, is_top: bool) {
        if is_top && !self.names.context.iter().any(|known| known == name) {
            self.names.context.push(name.to_owned());
        }
    }

    fn bind(&mut self, symbol: Symbol) {
        let name = self.name(symbol);
        self.names.bound.insert(name);
    }

    fn each(&mut self, nodes: &[Node], is_top: bool) {
        nodes.iter().for_each(|node| self.node(node, is_top));
    }
}

/// The fields that a path through `$states` reads, as far as it only names fields.
fn fields_after(steps: &[Node]) -> Vec<String> {
    let is_plain = |step: &Node| step.extra.is_none();
    let mut fields = Vec::new();
    for pair in steps.windows(2) {
        match &pair[1].kind {
            Kind::Name(name) if is_plain(&pair[0]) => {
                fields.push(String::from_utf8_lossy(name).into_owned())
            }
            _ => break,
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Names {
        super::super::Expression::compile(text)
            .unwrap_or_else(|error| panic!("{text}: {error}"))
            .names()
            .clone()
    }

    /// AWS names these in "Reference to '…' at the top level is not supported." (measured, floci #2670).
    #[test]
    fn a_name_read_from_the_context_item_is_told() {
        for text in [
            "phone",
            "phone[0].number",
            "phone.number.street",
            "-phone",
            "phone ? 1 : 2",
            "$states.input.a ? phone : 2",
            "phone & 'x'",
            "phone in $states.input.b",
            "$sum(phone)",
            "phone(1)",
            "phone ~> $string()",
            "[1..phone]",
            "(phone)",
            "(phone).other",
            "[phone].other",
            "[phone, 1]",
            "{phone: 1}",
            "($x := phone; $x)",
            "$map($states.input.a, function($y){ phone })",
            "$count(phone[inner])",
            "phone.**.deeper",
        ] {
            assert_eq!(names(text).context, ["phone"], "{text}");
        }
        for text in [
            "$",
            "$.phone",
            "$[0]",
            "$string($)",
            "$map($states.input.a, function($x){ $ })",
        ] {
            assert_eq!(names(text).context, ["$"], "{text}");
        }
        assert_eq!(names("[bbb, aaa]").context, ["bbb", "aaa"]);
        assert_eq!(names("aaa + aaa").context, ["aaa"]);
        assert_eq!(names("$number(aaa) + $number(bbb)").context, ["aaa", "bbb"]);
    }

    /// AWS accepts these (measured, floci #2670).
    #[test]
    fn a_name_read_from_a_value_is_nothing_from_outside() {
        for text in [
            "$states.input.phone",
            "$states.input.a[0].phone",
            "$states.input.items[phone > 3]",
            "$states.input.a^(phone)",
            "$states.input.a{'k': phone}",
            "$states.input.a.(phone)",
            "$states.input.a.$phone",
            "$phone",
            "$states.input.a ~> $string()",
            "$states.input ~> |phone|{'b': 1}|",
            "**.phone",
            "{'k': 1}.phone",
            "$states.input.a[0][phone]",
            "$states.input.a[$ > 1]",
            "function($x){ $x.phone }",
            "$map($states.input.a, function($x){ $x.phone })",
            "'phone'",
            "1 + 1",
            "$now()",
        ] {
            assert!(names(text).context.is_empty(), "{text}");
        }
    }

    #[test]
    fn the_root_is_told_wherever_it_stands() {
        for text in ["$$", "$$.phone", "$states.input.a[$$.b]"] {
            assert!(names(text).root, "{text}");
        }
        assert!(!names("$states.input").root);
    }

    #[test]
    fn variables_are_those_that_the_expression_does_not_bind() {
        let found =
            names("($x := $a; $map($b, function($v, $i) { $v + $i + $c })) & $states.input.d");
        let free: Vec<_> = found.variables.iter().map(String::as_str).collect();
        assert_eq!(free, ["a", "b", "c", "map"]);
    }

    #[test]
    fn only_the_parts_of_states_that_are_read_are_told() {
        let found =
            names("$states.input.a.b & $states.input.c[d = 1].e & $states.context.Execution.Id");
        let input = found.states.field("input").expect("input is read");
        assert_eq!(
            input.field("a").and_then(|a| a.field("b")),
            Some(&Use::Whole)
        );
        assert_eq!(input.field("c"), Some(&Use::Whole));
        assert_eq!(input.field("z"), None);
        assert!(found.states.field("context").is_some());
        assert_eq!(found.states.field("result"), None);
        assert_eq!(names("$states").states, Use::Whole);
        assert_eq!(names("$states.*").states, Use::Whole);
        assert_eq!(names("$states.input.a.%.b").states, Use::Whole);
    }
}
