//! What an expression reads from outside itself: variables, parts of `$states`, and the context
//! item that Step Functions does not have (ASL A4.17, A4.18).

use std::collections::{BTreeMap, BTreeSet};

use super::ast::{Ast, Kind, Node, Stage, Symbol};

/// The names that one expression reads. Variables are without their `$`.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Names {
    /// Variables that it may read from outside, functions among them; `$states` is not.
    ///
    /// A name that it binds is left out only where the binding is made for certain, so that what is
    /// not here is never missed.
    pub variables: BTreeSet<String>,
    /// What it reads of `$states`.
    pub states: Use,
    /// Names read from the context item, in order; `$` for the item itself.
    pub context: Vec<String>,
    /// Whether `$$` stands in it.
    pub root: bool,
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
        scope: Vec::new(),
        bound: vec![0; ast.symbols.len()],
        has_ancestors: false,
    };
    reader.node(&ast.root, true);
    let mut names = reader.names;
    if reader.has_ancestors {
        // `%` climbs back to values that no path names.
        names.states.add(&[]);
    }
    names
}

struct Reader<'a> {
    ast: &'a Ast,
    names: Names,
    /// The variables that the expression has bound where the reader is, the innermost last.
    scope: Vec<Symbol>,
    /// How often each variable stands in `scope`.
    bound: Vec<u32>,
    has_ancestors: bool,
}

impl Reader<'_> {
    /// `is_top`: whether names are read from the context item here.
    fn node(&mut self, node: &Node, is_top: bool) {
        let outer = self.scope.len();
        stacker::maybe_grow(64 << 10, 1 << 20, || self.kind(node, is_top));
        // A path's group is read with what its steps bind.
        for (key, value) in node.group().into_iter().flatten() {
            self.node(key, false);
            self.node(value, false);
        }
        self.leave(outer);
        self.filters(node.predicate());
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
            Kind::Array(nodes) => self.each(nodes, is_top),
            Kind::Block(statements) => self.block(statements, is_top),
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
            Kind::Bind { value, .. } => self.node(value, is_top),
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

    /// What a statement binds is bound in those after it. Functions that are bound one after the other may call
    /// each other, and none of them is called before all are bound.
    fn block(&mut self, statements: &[Node], is_top: bool) {
        let outer = self.scope.len();
        let mut functions = 0;
        for (at, statement) in statements.iter().enumerate() {
            if at == functions {
                let names = statements[at..].iter().map_while(bound_function);
                functions = at + names.map(|name| self.bind(name)).count().max(1);
            }
            self.node(statement, is_top);
            let mut bound = statement;
            while let Kind::Bind { name, value } = &bound.kind {
                self.bind(*name);
                bound = value;
            }
        }
        self.leave(outer);
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
                true => self.filters(step.predicate()),
                false => self.node(step, is_top && at == 0),
            }
            // An array at the start of a path, and a step that gives tuples, bind nothing themselves.
            let binds_nothing = (at == 0 && step.is_cons) || gives_tuples(step);
            let names = step.focus().into_iter().chain(step.index());
            names
                .filter(|_| !binds_nothing)
                .for_each(|name| self.bind(name));
            self.filters(step.stages());
        }
    }

    /// Filters, and what is bound between them. That stays bound in the steps that follow.
    fn filters(&mut self, stages: Option<&Vec<Stage>>) {
        for stage in stages.into_iter().flatten() {
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
            name if name != "states" && self.bound[symbol as usize] > 0 => {}
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
        self.scope.push(symbol);
        self.bound[symbol as usize] += 1;
    }

    /// Ends the bindings beyond the first `outer` ones.
    fn leave(&mut self, outer: usize) {
        for symbol in self.scope.drain(outer..) {
            self.bound[symbol as usize] -= 1;
        }
    }

    fn each(&mut self, nodes: &[Node], is_top: bool) {
        nodes.iter().for_each(|node| self.node(node, is_top));
    }
}

/// The name, where `statement` binds a function.
fn bound_function(statement: &Node) -> Option<Symbol> {
    match &statement.kind {
        Kind::Bind { name, value } if matches!(value.kind, Kind::Lambda(_)) => Some(*name),
        _ => None,
    }
}

/// Whether `step` gives tuples of a path within it, which have bindings of their own.
fn gives_tuples(step: &Node) -> bool {
    match &step.kind {
        Kind::Path { .. } => step.is_tuple(),
        Kind::Block(statements) => statements.last().is_some_and(gives_tuples),
        Kind::Bind { value, .. } => gives_tuples(value),
        Kind::Condition {
            then, otherwise, ..
        } => gives_tuples(then) || otherwise.as_deref().is_some_and(gives_tuples),
        _ => false,
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
mod tests;
