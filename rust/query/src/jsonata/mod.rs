//! JSONata as Step Functions has it: jsonata-js 2.0.6, AWS's additions and AWS's bounds (ASL A4).
//!
//! An evaluator of our own (docs/adr). There is no context item: input arrives as the binding
//! `$states`, workflow variables as bindings of their own names; no text is ever pasted into an
//! expression. Whatever an evaluation does spends steps of a budget, so that what an expression gives
//! is the same on each machine, and no expression hangs or exhausts the engine.
//!
//! | module | what it knows |
//! |---|---|
//! | [`expression`] | compile once, evaluate many times |
//! | [`names`] | what an expression reads from outside itself |
//! | `lexer`, `sign`, `raw`, `syntax`, `meaning`, `ancestry`, [`ast`] | from the text to what is evaluated |
//! | `evaluator`, `frame`, `constructors`, `navigate`, `path`, `tuples`, `order`, `operators`, `apply`, `partial`, `transform` | what each node gives |
//! | `function`, `functions`, `signature`, `picture` | what may be called |
//! | [`value`], `object`, [`text`], `number`, `json`, `json_read` | values as JavaScript has them |
//! | [`limits`], `charge` | AWS's bounds, the budget, the size of values |
//! | [`surroundings`] | the time and random numbers |
//! | [`error`] | what goes wrong, in AWS's words |

mod ancestry;
mod apply;
pub mod ast;
pub mod charge;
mod constructors;
pub mod error;
mod evaluator;
pub mod expression;
mod frame;
mod function;
mod functions;
mod json;
mod json_read;
mod lexer;
pub mod limits;
mod meaning;
pub mod names;
mod navigate;
mod number;
mod object;
mod operators;
mod order;
mod partial;
mod path;
mod picture;
mod raw;
mod sign;
mod signature;
pub mod surroundings;
mod syntax;
pub mod text;
mod transform;
mod tuples;
pub mod value;

pub use error::{Bound, EvaluationError, SyntaxError};
pub use expression::{Binding, Expression};
pub use json::plain as to_json;
pub use json_read::{integer_value, parse as parse_json};
pub use limits::Limits;
pub use names::{Names, Use};
pub use text::Text;
pub use value::{Fields, Value};
