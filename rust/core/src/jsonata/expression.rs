//! One expression: compiled once, evaluated as often as a state runs.

use std::rc::Rc;

use jsonata_core::ast::AstNode;
use jsonata_core::evaluator::{
    Context, Evaluator, EvaluatorError, EvaluatorOptions, error_code_prefix,
};
use jsonata_core::parser;
use jsonata_core::value::JValue;

use super::checks;
use super::error::{EvaluationError, SyntaxError};
use super::functions::{self, Function};
use super::guard::{self, Checked};
use super::limits::{Limits, value_bytes};
use super::memory::Budget;
use super::names::{self, Names};
use super::numbers::Numbers;
use super::signatures::{self, Call};
use super::trace;

/// A variable for an evaluation: its name without the `$`, and its value.
pub type Binding = (String, JValue);

/// A compiled expression. It is immutable, and shared between threads freely.
#[derive(Debug)]
pub struct Expression {
    plain: AstNode,
    is_too_deep: bool,
    checked: Checked,
    /// The same for an evaluation with variables that have names of functions.
    checked_with_variables: Option<Checked>,
    names: Names,
    functions: Vec<(&'static str, Function)>,
    calls: Vec<Call>,
}

impl Expression {
    /// Compile the text between `{%` and `%}`.
    pub fn compile(text: &str) -> Result<Expression, SyntaxError> {
        let plain = match catch(|| parser::parse(text)) {
            Some(Ok(ast)) => ast,
            // The parser has a limit of its own, above AWS's for an evaluation.
            Some(Err(error)) if error_code_prefix(&error.to_string()) == Some("U1002") => {
                return Ok(Self::of(AstNode::Undefined, true));
            }
            Some(Err(error)) => return Err(SyntaxError::in_aws_words(&error, text)),
            None => return Err(SyntaxError::internal()),
        };
        Ok(Self::of(plain, false))
    }

    fn of(plain: AstNode, is_too_deep: bool) -> Expression {
        let names = names::of(&plain);
        let functions = functions::named(names.variables.iter());
        let calls = signatures::calls(&mut plain.clone());
        let checked = guard::checked(&plain, &|name| names.bound.contains(name));
        let is_ambiguous = names
            .variables
            .iter()
            .any(|name| guard::is_wrapped_as_value(name));
        let checked_with_variables = is_ambiguous.then(|| guard::checked(&plain, &|_| true));
        Expression {
            plain,
            is_too_deep,
            checked,
            checked_with_variables,
            names,
            functions,
            calls,
        }
    }

    pub fn names(&self) -> &Names {
        &self.names
    }

    /// The value as on AWS: no context item, AWS's functions, these limits. `JValue::Undefined` is nothing.
    pub fn evaluate(
        &self,
        bindings: Vec<Binding>,
        limits: &Limits,
        numbers: &Rc<Numbers>,
    ) -> Result<JValue, EvaluationError> {
        if self.is_too_deep {
            return Err(EvaluationError::stack_overflow());
        }
        let value_limit = limits.value_bytes.unwrap_or(usize::MAX);
        let checked = match &self.checked_with_variables {
            Some(checked)
                if bindings
                    .iter()
                    .any(|(name, _)| guard::is_wrapped_as_value(name)) =>
            {
                checked
            }
            _ => &self.checked,
        };
        let budget = limits.memory.map(Budget::open);
        let mut options = options_of(limits, checked.levels);
        options.cancel = budget.as_ref().map(Budget::token);
        let mut evaluator = Evaluator::with_options(context_of(bindings), options);
        self.define_functions(&mut evaluator, checked, value_limit, numbers)
            .map_err(|error| EvaluationError::plain(&error))?;
        let value = match catch(|| evaluator.evaluate(&checked.ast, &JValue::Undefined)) {
            Some(Ok(value)) => value,
            Some(Err(error)) => return Err(self.explain(&error, &mut evaluator, &checked.ast)),
            None => return Err(EvaluationError::internal()),
        };
        match value_bytes(&value, value_limit) > value_limit {
            true => Err(EvaluationError::memory_limit()),
            false => Ok(value),
        }
    }

    fn define_functions(
        &self,
        evaluator: &mut Evaluator,
        checked: &Checked,
        value_limit: usize,
        numbers: &Rc<Numbers>,
    ) -> Result<(), EvaluatorError> {
        functions::register(evaluator, &self.functions, numbers)?;
        if checked.levels > 0 {
            checks::register(evaluator, value_limit)?;
        }
        Ok(())
    }

    fn explain(
        &self,
        error: &EvaluatorError,
        evaluator: &mut Evaluator,
        ast: &AstNode,
    ) -> EvaluationError {
        let code = error.code().filter(|code| trace::names_operands(code));
        if let Some((code, operands)) = code.zip(trace::register(evaluator).ok()) {
            let again = catch(|| evaluator.evaluate(&trace::with_notes(ast), &JValue::Undefined));
            if matches!(again, Some(Err(again)) if again.code() == Some(code)) {
                return EvaluationError::about(code, &operands.borrow());
            }
        }
        EvaluationError::in_aws_words(error, &self.calls)
    }

    /// The value in the language alone, over the context item `data`, without AWS's functions and with no limits but
    /// these: for the official test suite. `is_checked` puts the checks in all the same, which must change nothing.
    pub fn evaluate_over(
        &self,
        data: &JValue,
        bindings: Vec<Binding>,
        limits: &Limits,
        is_checked: bool,
    ) -> Result<JValue, EvaluationError> {
        let levels = if is_checked { self.checked.levels } else { 0 };
        let mut evaluator =
            Evaluator::with_options(context_of(bindings), options_of(limits, levels));
        let mut ast = &self.plain;
        if is_checked {
            ast = &self.checked.ast;
            checks::register(&mut evaluator, usize::MAX)
                .map_err(|error| EvaluationError::plain(&error))?;
        }
        match catch(|| evaluator.evaluate(ast, data)) {
            Some(result) => result.map_err(|error| EvaluationError::plain(&error)),
            None => Err(EvaluationError::internal()),
        }
    }
}

/// The language's own functions have been seen to panic: `$fromMillis(0, "[Y,1000000000]")` divides by 0.
fn catch<T>(act: impl FnOnce() -> T) -> Option<T> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(act)).ok()
}

fn context_of(bindings: Vec<Binding>) -> Context {
    let mut context = Context::new();
    for (name, value) in bindings {
        context.bind(name, value);
    }
    context
}

fn options_of(limits: &Limits, check_levels: usize) -> EvaluatorOptions {
    EvaluatorOptions {
        timeout_ms: limits.millis,
        // The evaluator does not count the value at the bottom as a level.
        max_stack_depth: limits
            .depth
            .map(|depth| (depth + check_levels).saturating_sub(1)),
        max_sequence_length: limits.sequence,
        ..EvaluatorOptions::default()
    }
}
