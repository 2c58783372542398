//! Errors as the caller sees them: a stable code, a sentence, and the facts.

use serde_json::Value;

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

impl From<voxnorm_kernels::run::Cancelled> for Error {
    fn from(_: voxnorm_kernels::run::Cancelled) -> Error {
        Error::new("Cancelled", "the computation was cancelled")
    }
}
