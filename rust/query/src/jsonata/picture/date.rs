//! `$fromMillis`, `$toMillis`, `$now`, `$millis`.

use super::calendar::{self, Date, utc_day};
use super::date_parse;
use super::date_picture::{self, Marker, Part};
use super::days::DAY;
use super::integer::{self, Case, Separators};
use crate::jsonata::error::{Answer, Fault};
use crate::jsonata::evaluator::Evaluator;
use crate::jsonata::limits::Budget;
use crate::jsonata::number::{parse_int, to_text};
use crate::jsonata::value::Value;

pub const DAYS: [&str; 8] = [
    "",
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
];
pub const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const ISO: &str = "[Y0001]-[M01]-[D01]T[H01]:[m01]:[s01].[f001][Z01:01t]";

pub fn from_millis(evaluator: &mut Evaluator, arguments: &[Value]) -> Answer {
    let Some(millis) = arguments.first().and_then(Value::as_number) else {
        return Ok(Value::Undefined);
    };
    write(evaluator, millis, arguments.get(1), arguments.get(2))
}

pub fn now(evaluator: &mut Evaluator, arguments: &[Value]) -> Answer {
    let now = evaluator.now;
    write(evaluator, now, arguments.first(), arguments.get(1))
}

pub fn millis(evaluator: &mut Evaluator, _: &[Value]) -> Answer {
    Ok(Value::Number(evaluator.now))
}

pub fn to_millis(evaluator: &mut Evaluator, arguments: &[Value]) -> Answer {
    let Some(value @ Value::Text(text)) = arguments.first() else {
        return Ok(Value::Undefined);
    };
    evaluator.budget.bytes(text.bytes().len())?;
    let text = text.to_lossy();
    match arguments.get(1) {
        Some(Value::Text(picture)) => date_parse::parse(evaluator, &text, &picture.to_lossy()),
        _ if date_parse::looks_like_iso(&text) => Ok(Value::Number(calendar::parse_iso(&text))),
        _ => Err(Fault::new("D3110").value(value)),
    }
}

fn write(
    evaluator: &mut Evaluator,
    millis: f64,
    picture: Option<&Value>,
    zone: Option<&Value>,
) -> Answer {
    let offset = match zone {
        Some(Value::Text(zone)) => parse_int(&zone.to_lossy()),
        _ => 0.0,
    };
    let (hours, minutes) = ((offset / 100.0).floor(), offset % 100.0);
    let picture = match picture {
        Some(Value::Text(picture)) => picture.to_lossy(),
        _ => ISO.to_owned(),
    };
    evaluator.budget.bytes(64 * picture.len())?;
    let parts = date_picture::analyse(&picture)?;
    let date = Date::new(millis + (60.0 * hours + minutes) * 60_000.0);
    let mut text = String::new();
    for part in &parts {
        match part {
            Part::Literal(literal) => text.push_str(literal),
            Part::Marker(marker) => text.push_str(&component(
                &date,
                marker,
                hours,
                minutes,
                &mut evaluator.budget,
            )?),
        }
        evaluator.budget.refuse_text_growth(text.len(), 0)?;
    }
    Ok(Value::text(text))
}

fn component(
    date: &Date,
    marker: &Marker,
    hours: f64,
    minutes: f64,
    budget: &mut Budget,
) -> Answer<String> {
    match marker.component {
        'Y' | 'M' | 'D' | 'd' | 'F' | 'W' | 'w' | 'X' | 'x' | 'H' | 'h' | 'm' | 's' => {
            number(date, marker, budget)
        }
        'f' => match &marker.format {
            Some(format) => integer::write(date.millisecond(), format, budget),
            None => Err(Fault::uncoded(
                "Cannot read properties of undefined (reading 'primary')",
            )),
        },
        'Z' | 'z' => zone(marker, hours, minutes, budget),
        'P' => {
            let half = if date.hour() >= 12.0 { "pm" } else { "am" };
            Ok(if marker.names == Some(Case::Upper) {
                half.to_uppercase()
            } else {
                half.to_owned()
            })
        }
        'C' | 'E' => Ok("ISO".to_owned()),
        _ => Ok("undefined".to_owned()),
    }
}

fn number(date: &Date, marker: &Marker, budget: &mut Budget) -> Answer<String> {
    let mut value = fragment(date, marker.component);
    if marker.component == 'Y' && marker.digits != Some(-1.0) {
        // Without bounded digits the power is NaN.
        value %= marker.digits.map_or(f64::NAN, |digits| 10_f64.powf(digits));
    }
    let Some(case) = marker.names else {
        return match &marker.format {
            Some(format) => integer::write(value, format, budget),
            None => Ok(to_text(value)),
        };
    };
    let name = match marker.component {
        'M' | 'x' => MONTHS
            .get((value - 1.0) as usize)
            .filter(|_| !value.is_nan()),
        'F' => DAYS.get(value as usize).filter(|_| !value.is_nan()),
        component => return Err(Fault::new("D3133").value_text(&component.to_string())),
    };
    let Some(name) = name else {
        let reading = match case {
            Case::Upper => "toUpperCase",
            Case::Lower => "toLowerCase",
            Case::Title if marker.width.is_some() => "length",
            Case::Title => return Ok("undefined".to_owned()),
        };
        return Err(Fault::uncoded(format!(
            "Cannot read properties of undefined (reading '{reading}')"
        )));
    };
    let name = match case {
        Case::Upper => name.to_uppercase(),
        Case::Lower => name.to_lowercase(),
        Case::Title => (*name).to_owned(),
    };
    let most = marker.width.and_then(|width| width.most);
    Ok(match most {
        Some(most) if name.len() as f64 > most => name[..most.max(0.0) as usize].to_owned(),
        _ => name,
    })
}

fn zone(marker: &Marker, hours: f64, minutes: f64, budget: &mut Budget) -> Answer<String> {
    let offset = hours * 100.0 + minutes;
    let Some(format) = &marker.format else {
        return Ok("undefined".to_owned());
    };
    let mut text = if matches!(format.separators, Separators::Regular(..)) {
        integer::write(offset, format, budget)?
    } else {
        match format.mandatory {
            Some(1.0 | 2.0) => {
                let mut text = integer::write(hours, format, budget)?;
                if minutes != 0.0 {
                    text.push(':');
                    text.push_str(&integer::write(
                        minutes.floor(),
                        &integer::analyse("00")?,
                        budget,
                    )?);
                }
                text
            }
            Some(3.0 | 4.0) => integer::write(offset, format, budget)?,
            _ => return Err(Fault::new("D3134")),
        }
    };
    if offset >= 0.0 {
        text.insert(0, '+');
    }
    if marker.component == 'z' {
        text.insert_str(0, "GMT");
    }
    Ok(if offset == 0.0 && marker.is_traditional {
        "Z".to_owned()
    } else {
        text
    })
}

/// The component of a date as a number.
pub fn fragment(date: &Date, component: char) -> f64 {
    match component {
        'Y' => date.year,
        'M' => date.month + 1.0,
        'D' => date.day,
        'd' => {
            (utc_day(date.year, date.month, date.day) - utc_day(date.year, 0.0, 1.0)) / DAY + 1.0
        }
        'F' => match date.week_day() {
            0.0 => 7.0,
            day => day,
        },
        'W' => week(
            date,
            (date.year, 0.0),
            (date.year + 1.0, 0.0),
            (date.year - 1.0, 0.0),
            52.0,
        ),
        'w' => week(
            date,
            (date.year, date.month),
            next_month(date),
            previous_month(date),
            4.0,
        ),
        'X' => {
            let (start, end) = (first_week(date.year, 0.0), first_week(date.year + 1.0, 0.0));
            match date.time {
                time if time < start => date.year - 1.0,
                time if time >= end => date.year + 1.0,
                _ => date.year,
            }
        }
        'x' => {
            let next = next_month(date);
            match date.time {
                time if time < first_week(date.year, date.month) => previous_month(date).1 + 1.0,
                time if time >= first_week(next.0, next.1) => next.1 + 1.0,
                _ => date.month + 1.0,
            }
        }
        'H' => date.hour(),
        'h' => match date.hour() % 12.0 {
            0.0 => 12.0,
            hour => hour,
        },
        'P' => f64::NAN,
        'm' => date.minute(),
        's' => date.second(),
        'f' => date.millisecond(),
        _ => f64::NAN,
    }
}

fn next_month(date: &Date) -> (f64, f64) {
    if date.month == 11.0 {
        (date.year + 1.0, 0.0)
    } else {
        (date.year, date.month + 1.0)
    }
}

fn previous_month(date: &Date) -> (f64, f64) {
    if date.month == 0.0 {
        (date.year - 1.0, 11.0)
    } else {
        (date.year, date.month - 1.0)
    }
}

/// The week of a date within its year or month, which begins with the week of its first Thursday.
fn week(date: &Date, this: (f64, f64), next: (f64, f64), previous: (f64, f64), full: f64) -> f64 {
    let today = utc_day(date.year, date.month, date.day);
    let since = |(year, month): (f64, f64)| (today - first_week(year, month)) / (7.0 * DAY) + 1.0;
    let mut week = since(this);
    if week > full {
        if today >= first_week(next.0, next.1) {
            week = 1.0;
        }
    } else if week < 1.0 {
        week = since(previous);
    }
    week.floor()
}

/// When the first week of a year or month begins.
fn first_week(year: f64, month: f64) -> f64 {
    let first = utc_day(year, month, 1.0);
    let day = match Date::new(first).week_day() {
        0.0 => 7.0,
        day => day,
    };
    if day > 4.0 {
        first + (8.0 - day) * DAY
    } else {
        first - (day - 1.0) * DAY
    }
}
