//! Numbers and dates by pictures, as XPath's functions have them and jsonata-js reads them.

pub mod calendar;
pub mod date;
mod date_legacy;
mod date_parse;
mod date_picture;
mod days;
pub mod format_number;
pub mod integer;
mod number_picture;
mod words;
