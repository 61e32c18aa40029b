//! Dates that are not quite ISO 8601, as V8 reads them: numbers for the day, numbers with a colon for the time.

use super::days::utc_full;

/// What was read of a date so far.
struct Legacy<'t> {
    rest: &'t str,
    day: Vec<f64>,
    time: Vec<f64>,
    is_time_over: bool,
}

/// The date of the numbers in `day` and of what follows them; None where V8 finds none.
pub fn parse(day: Vec<f64>, rest: &str) -> Option<f64> {
    let mut legacy = Legacy {
        rest,
        day,
        time: Vec::new(),
        is_time_over: false,
    };
    while let Some(next) = legacy.rest.chars().next() {
        match next {
            '0'..='9' => legacy.number()?,
            'Z' => legacy.rest = &legacy.rest[1..],
            // The sign of a zone, which a date without a time does not have.
            '+' | '-' => return None,
            _ => legacy.rest = &legacy.rest[next.len_utf8()..],
        }
    }
    legacy.result()
}

impl Legacy<'_> {
    fn passes(&mut self, sign: char) -> bool {
        match self.rest.strip_prefix(sign) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn number(&mut self) -> Option<()> {
        let length = self.rest.bytes().take_while(u8::is_ascii_digit).count();
        let number: f64 = self.rest[..length].parse().ok()?;
        self.rest = &self.rest[length..];
        if self.passes(':') {
            self.time.push(number);
            return (self.time.len() <= 3 && !self.is_time_over).then_some(());
        }
        if !self.time.is_empty() && !self.is_time_over {
            self.time.push(number);
            self.is_time_over = true;
            let ends = self.rest.is_empty() || self.rest.starts_with(['Z', '+', '-', ' ']);
            return ends.then_some(());
        }
        self.day.push(number);
        self.passes('-');
        (self.day.len() <= 3).then_some(())
    }

    fn result(mut self) -> Option<f64> {
        self.day.resize(3, 1.0);
        let [first, second, third] = [self.day[0], self.day[1], self.day[2]];
        // What can be a month or a day comes first in America.
        let (year, month, day) = match (1.0..=31.0).contains(&first) {
            true => (third, first, second),
            false => (first, second, third),
        };
        let year = match year {
            year if (0.0..=49.0).contains(&year) => year + 2000.0,
            year if (50.0..=99.0).contains(&year) => year + 1900.0,
            year => year,
        };
        self.time.resize(4, 0.0);
        let time = [self.time[0], self.time[1], self.time[2], 0.0];
        let is_time = time[0] < 24.0 && time[1] < 60.0 && time[2] < 60.0;
        let is_date = (1.0..=12.0).contains(&month) && (1.0..=31.0).contains(&day);
        (is_date && is_time).then(|| utc_full(year, month - 1.0, day, time))
    }
}
