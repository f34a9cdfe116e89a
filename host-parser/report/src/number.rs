//! Numbers for people: a fixed number of decimals, and commas between thousands.

/// `value` with `decimals` decimals and commas between thousands.
pub(super) fn grouped(value: f64, decimals: usize) -> String {
    let plain = format!("{value:.decimals$}");
    let (sign, digits) = plain.strip_prefix('-').map_or(("", plain.as_str()), |digits| ("-", digits));
    let (whole, fraction) = digits.split_at(digits.find('.').unwrap_or(digits.len()));
    let mut grouped = String::with_capacity(plain.len() + whole.len() / 3);
    for (i, digit) in whole.chars().enumerate() {
        if i > 0 && (whole.len() - i) % 3 == 0 {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    format!("{sign}{grouped}{fraction}")
}

/// A part of one as a percentage, with one decimal.
pub(super) fn percent(part: f64) -> String {
    format!("{:.1}", part * 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_thousands() {
        for (value, decimals, text) in
            [(0.0, 0, "0"), (999.94, 1, "999.9"), (1_639.0, 0, "1,639"), (-1_234_567.891, 2, "-1,234,567.89")]
        {
            assert_eq!(grouped(value, decimals), text);
        }
    }
}
