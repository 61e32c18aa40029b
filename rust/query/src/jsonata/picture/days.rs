//! Days and milliseconds since 1970, as JavaScript counts them.

pub const DAY: f64 = 86_400_000.0;

/// Days since 1970 of the first day of a month, which may be any integer.
pub fn days(year: f64, month: f64) -> f64 {
    let year = year + (month / 12.0).floor();
    let month = month.rem_euclid(12.0);
    if !year.is_finite() || year.abs() > 400_000.0 {
        return f64::NAN;
    }
    let (year, month) = (year as i64, month as i64 + 1);
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    (era * 146_097 + day_of_era - 719_468) as f64
}

/// Milliseconds since 1970 of a time in UTC, for a year that is written in full.
pub fn utc_full(year: f64, month: f64, day: f64, [hour, minute, second, milli]: [f64; 4]) -> f64 {
    let of_day = hour * 3_600_000.0 + minute * 60_000.0 + second * 1000.0 + milli;
    (days(year, month) + day - 1.0) * DAY + of_day
}
