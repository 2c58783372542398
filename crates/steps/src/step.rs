//! What a method is, and how it is called.

use crate::json::{FromJson, read, read_fields};
use crate::{Call, Error, Inputs, Into, Outputs, Reply, Session};
use serde_json::{Map, Value};

/// A method. What goes in and comes out is JSON, so that what calls it is compiled once for all. Options are complete when
/// they come here: defaults live in `ts/steps/<id>.ts` alone.
pub trait Step: Sync {
    /// The id, the same in all places.
    fn id(&self) -> &'static str;

    /// Finds the fitted values in the inputs, which are kept and replayed.
    fn fit(&self, options: &Value, inputs: &Inputs, session: &Session) -> Result<Value, Error>;

    /// Fills the wanted outputs; returns what was measured on the way, for the report.
    fn apply(
        &self,
        options: &Value,
        fitted: &Value,
        inputs: &Inputs,
        outputs: &mut Outputs,
        session: &Session,
    ) -> Result<Value, Error>;
}

/// The options of a step. That they are not the step's is a defect, as `ts` has looked at them before.
pub fn options<T: FromJson>(step: &str, options: &Value) -> Result<T, Error> {
    read(options).map_err(|error| wrong(step, &error))
}

/// What a step has fitted. That it is not the step's is the caller's mistake.
pub fn fitted<T: FromJson>(step: &str, fitted: &Value) -> Result<T, Error> {
    read(fitted).map_err(|error| Error::new("BadFitted", format!("{step}: {error}")))
}

/// The error of a request that is not as it should be.
pub fn wrong(step: &str, error: &dyn std::fmt::Display) -> Error {
    Error::internal(format!("{step}: {error}"))
}

/// The JSON of a call.
pub fn request(call: &Call) -> Result<Value, Error> {
    serde_json::from_str(call.request).map_err(|error| wrong(call.step, &error))
}

/// One call.
pub fn call(step: &dyn Step, call: &Call, into: Into, session: &Session) -> Result<Reply, Error> {
    let id = step.id();
    let request = request(call)?;
    let read = read_fields(&request, |fields| {
        (["options", "fitted", "inputs"].map(|field| fields.value(field)), fields.read("outputs"))
    });
    let ([options, fitted, inputs], wanted) = read.map_err(|error| wrong(id, &error))?;
    let inputs = Inputs::of(id, inputs, call.buffers);
    let mut outputs = Outputs::of(id, wanted, into, call.buffers);
    let mut json = Map::new();

    let found;
    let fitted = match (call.phase, fitted) {
        ("fit" | "run", Value::Null) => {
            found = step.fit(options, &inputs, session)?;
            json.insert("fitted".into(), found.clone());
            &found
        }
        ("apply", fitted) if !fitted.is_null() => fitted,
        (phase, fitted) => {
            let with = if fitted.is_null() { "without" } else { "with" };
            return Err(Error::internal(format!("{id}: phase {phase} {with} fitted values")));
        }
    };
    if call.phase != "fit" {
        session.run.check()?;
        let measures = step.apply(options, fitted, &inputs, &mut outputs, session)?;
        json.insert("measures".into(), measures);
    }
    Ok(Reply { json: Value::Object(json).to_string(), buffers: outputs.made() })
}
