//! JavaScript's dates: milliseconds since 1970 as doubles, in the proleptic Gregorian calendar.

use super::date_legacy;
use super::days::{DAY, days, utc_full};

/// The furthest that a date may be from 1970, in milliseconds.
const MOST: f64 = 8.64e15;

/// A date, whose parts are NaN where there is none.
#[derive(Clone, Copy, Debug)]
pub struct Date {
    pub time: f64,
    pub year: f64,
    /// From 0.
    pub month: f64,
    pub day: f64,
}

impl Date {
    /// `new Date(time)`
    pub fn new(time: f64) -> Date {
        let time = if time.abs() <= MOST {
            time.trunc() + 0.0
        } else {
            f64::NAN
        };
        if time.is_nan() {
            return Date {
                time,
                year: time,
                month: time,
                day: time,
            };
        }
        let (year, month, day) = civil((time / DAY).floor() as i64);
        Date {
            time,
            year: year as f64,
            month: f64::from(month - 1),
            day: f64::from(day),
        }
    }

    /// From 0, which is Sunday.
    pub fn week_day(&self) -> f64 {
        ((self.time / DAY).floor() + 4.0).rem_euclid(7.0)
    }

    fn part(&self, unit: f64, modulus: f64) -> f64 {
        (self.time / unit).floor().rem_euclid(modulus)
    }

    pub fn hour(&self) -> f64 {
        self.part(3_600_000.0, 24.0)
    }

    pub fn minute(&self) -> f64 {
        self.part(60_000.0, 60.0)
    }

    pub fn second(&self) -> f64 {
        self.part(1000.0, 60.0)
    }

    pub fn millisecond(&self) -> f64 {
        self.part(1.0, 1000.0)
    }
}

/// Year, month and day of a number of days since 1970.
fn civil(days: i64) -> (i64, u32, u32) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 {
        shifted + 3
    } else {
        shifted - 9
    };
    (
        year_of_era + era * 400 + i64::from(month <= 2),
        month as u32,
        day as u32,
    )
}

/// `Date.UTC`: years below 100 are those of the last century.
pub fn utc(year: f64, month: f64, day: f64, time: [f64; 4]) -> f64 {
    let year = match year.trunc() {
        short if (0.0..=99.0).contains(&short) => 1900.0 + short,
        year => year,
    };
    let [hour, minute, second, milli] = time.map(f64::trunc);
    let of_day = hour * 3_600_000.0 + minute * 60_000.0 + second * 1000.0 + milli;
    let time = (days(year, month.trunc()) + day.trunc() - 1.0) * DAY + of_day;
    if time.abs() <= MOST { time } else { f64::NAN }
}

/// `Date.UTC(year, month, day)`
pub fn utc_day(year: f64, month: f64, day: f64) -> f64 {
    utc(year, month, day, [0.0; 4])
}

/// `Date.parse` of what looks like an ISO 8601 timestamp to jsonata-js; NaN where there is no such date.
pub fn parse_iso(text: &str) -> f64 {
    read_iso(text).unwrap_or(f64::NAN)
}

fn read_iso(text: &str) -> Option<f64> {
    let mut reader = Reader(text);
    let mut date = vec![reader.digits(4)?];
    for most in [12.0, 31.0] {
        if !reader.passes('-') {
            break;
        }
        let rest = reader.0;
        match reader
            .two_digits()
            .filter(|number| (1.0..=most).contains(number))
        {
            Some(number) => date.push(number),
            None => return date_legacy::parse(date, rest),
        }
    }
    if reader.0.is_empty() {
        let part = |at: usize| date.get(at).copied().unwrap_or(1.0);
        return Some(utc_full(part(0), part(1) - 1.0, part(2), [0.0; 4]));
    }
    if !reader.passes('T') {
        return date_legacy::parse(date, reader.0);
    }
    let part = |at: usize| date.get(at).copied().unwrap_or(1.0);
    let time = reader.time()?;
    let offset = reader.offset()?;
    let days = utc_full(part(0), part(1) - 1.0, part(2), time);
    reader.0.is_empty().then_some(days - offset * 60_000.0)
}

struct Reader<'a>(&'a str);

impl Reader<'_> {
    fn passes(&mut self, sign: char) -> bool {
        match self.0.strip_prefix(sign) {
            Some(rest) => {
                self.0 = rest;
                true
            }
            None => false,
        }
    }

    fn digits(&mut self, count: usize) -> Option<f64> {
        let (digits, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        digits
            .bytes()
            .all(|digit| digit.is_ascii_digit())
            .then(|| digits.parse().ok())
            .flatten()
    }

    /// A number of exactly two digits.
    fn two_digits(&mut self) -> Option<f64> {
        match self
            .0
            .as_bytes()
            .get(2)
            .is_some_and(|next| next.is_ascii_digit())
        {
            true => None,
            false => self.digits(2),
        }
    }

    /// Hour, minute, second and millisecond.
    fn time(&mut self) -> Option<[f64; 4]> {
        let hour = self.digits(2)?;
        self.passes(':').then_some(())?;
        let minute = self.digits(2)?;
        self.passes(':').then_some(())?;
        let second = self.digits(2)?;
        let milli = if self.passes('.') {
            self.fraction()?
        } else {
            0.0
        };
        let time = [hour, minute, second, milli];
        (hour < 24.0 || time == [24.0, 0.0, 0.0, 0.0]).then_some(time)
    }

    /// Milliseconds of a fraction of a second.
    fn fraction(&mut self) -> Option<f64> {
        let count = self.0.bytes().take_while(u8::is_ascii_digit).count();
        let digits: String = self.0[..count]
            .chars()
            .chain("00".chars())
            .take(3)
            .collect();
        self.0 = &self.0[count..];
        digits.parse().ok()
    }

    /// Minutes east of Greenwich.
    fn offset(&mut self) -> Option<f64> {
        let sign = match () {
            () if self.0.is_empty() || self.passes('Z') => return Some(0.0),
            () if self.passes('+') => 1.0,
            () if self.passes('-') => -1.0,
            () => return None,
        };
        let hours = self.digits(2)?;
        self.passes(':');
        let minutes = self.digits(2)?;
        (hours < 24.0).then_some(sign * (60.0 * hours + minutes))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_date_is_made_of_its_parts(time in -8.64e15..8.64e15_f64) {
            let date = Date::new(time);
            let parts = [date.hour(), date.minute(), date.second(), date.millisecond()];
            prop_assert_eq!(utc_full(date.year, date.month, date.day, parts), time.trunc());
        }
    }

    #[test]
    fn dates_that_do_not_exist() {
        assert!(Date::new(8.64e15 + 1.0).year.is_nan());
        assert!(parse_iso("2020-13-01").is_nan());
        assert_eq!(parse_iso("2018-02-30"), parse_iso("2018-03-02"));
    }
}
