//! JSONata as Step Functions has it: the language, AWS's additions and AWS's bounds (ASL A4).
//!
//! The language itself is the crate `jsonata-core` (docs/adr/0003-jsonata.md). This module adds what
//! AWS adds and takes away what AWS takes away, and sees to it that no expression can hang or
//! exhaust the engine. There is no context item: input arrives as the binding `$states`, workflow
//! variables as bindings of their own names; no text is ever pasted into an expression.
//!
//! | module | what it knows |
//! |---|---|
//! | [`expression`] | compile once, evaluate many times |
//! | [`names`] | what an expression reads from outside itself |
//! | [`functions`] | `$partition $range $hash $random $uuid $parse` |
//! | [`numbers`] | integers that a double does not hold |
//! | [`limits`] | AWS's bounds, and the size of a value |
//! | `guard`, `growth`, `checks` | the checks that the evaluator lacks, written into the expression |
//! | [`memory`] | what an evaluation allocates |
//! | [`error`], `texts`, `signatures`, `trace` | what goes wrong, in AWS's words |

mod checks;
pub mod error;
pub mod expression;
pub mod functions;
mod growth;
mod guard;
pub mod limits;
pub mod memory;
pub mod names;
pub mod numbers;
mod signatures;
mod strict_json;
mod texts;
mod trace;
mod walk;

pub use error::{EvaluationError, SyntaxError};
pub use expression::{Binding, Expression};
pub use jsonata_core::value::{JMap, JValue};
pub use limits::Limits;
pub use names::Names;
pub use numbers::Numbers;
