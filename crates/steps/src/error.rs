//! Errors as the caller sees them: a stable code, a sentence, and the facts.

use serde_json::Value;
use std::fmt;

/// A failure. `code` is one of those listed in `ts/errors.ts`.
#[derive(Debug)]
pub struct Error {
    /// Stable, for programs.
    pub code: &'static str,
    /// What was expected, of what, and what came, for people.
    pub message: String,
    /// The facts of the message, for programs.
    pub detail: Value,
}

impl Error {
    /// An error without further facts.
    pub fn new(code: &'static str, message: impl Into<String>) -> Error {
        Error { code, message: message.into(), detail: object! {} }
    }

    /// The same error with its facts.
    pub fn with(mut self, detail: Value) -> Error {
        self.detail = detail;
        self
    }

    /// A defect of voxnorm: the two halves of the program disagree.
    pub fn internal(message: impl Into<String>) -> Error {
        Error::new("Internal", message)
    }

    /// A panic that was caught on its way out of a call.
    pub fn panic(panic: &(dyn std::any::Any + Send)) -> Error {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message");
        Error::internal(format!("voxnorm panicked, which is a defect to report: {text}"))
    }

    /// `{ code, message, detail }`, as it crosses into JavaScript.
    #[inline(never)]
    pub fn to_json(&self) -> String {
        object! { code: self.code, message: self.message, detail: self.detail }.to_string()
    }
}

/// A number in a message, as JavaScript says it. Rust's own formatting would bring a second printer of floats into the
/// WebAssembly module, beside that of JSON.
pub struct Number(pub f64);

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let Number(value) = *self;
        if value.is_nan() {
            f.write_str("NaN")
        } else if value.is_infinite() {
            f.write_str(if value > 0.0 { "Infinity" } else { "-Infinity" })
        } else if value == value.trunc() && value.abs() < 1e15 {
            (value as i64).fmt(f)
        } else {
            Value::from(value).fmt(f)
        }
    }
}

impl From<voxnorm_kernels::run::Cancelled> for Error {
    fn from(_: voxnorm_kernels::run::Cancelled) -> Error {
        Error::new("Cancelled", "the computation was cancelled")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_told_as_javascript_does() {
        let told = |value: f64| Number(value).to_string();
        assert_eq!([3.0, -0.0, 0.1, -2.5e-7, 1e300].map(told), ["3", "0", "0.1", "-2.5e-7", "1e+300"]);
        assert_eq!([f64::NAN, f64::INFINITY, -f64::INFINITY].map(told), ["NaN", "Infinity", "-Infinity"]);
        assert_eq!(told(f64::from(0.1_f32)), "0.10000000149011612");
    }
}
