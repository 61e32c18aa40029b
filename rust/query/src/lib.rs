//! The query languages' native parts. No Python and no storage here.
//!
//! Whatever an expression does is counted in steps against a budget, so that the end of an
//! evaluation does not depend on the speed of the machine.
//!
//! | module | what it knows |
//! |---|---|
//! | [`jsonata`] | JSONata as Step Functions has it |
//! | [`regex`] | regular expressions as ECMAScript and Java have them, over UTF-16 |

pub mod jsonata;
pub mod regex;
