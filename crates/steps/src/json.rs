//! Options and fitted values in JSON, by the names of their fields. The macros make little code of each type, where what
//! serde derives was a third of the WebAssembly module; so reading goes on after an error, without a way out at each field.

use serde_json::{Map, Value};

/// Reads a value strictly, so that nothing given is passed over. The error says of which field what was expected and what
/// came.
pub fn read<T: FromJson>(value: &Value) -> Result<T, String> {
    let mut reader = Reader::default();
    let read = T::from_json(value, &mut reader);
    reader.error.map_or(Ok(read), Err)
}

/// Reads the fields of an object in the same way.
pub fn read_fields<'a, T>(
    value: &'a Value,
    each: impl FnOnce(&mut Fields<'a, '_>) -> T,
) -> Result<T, String> {
    let mut reader = Reader::default();
    let mut fields = Fields::of(value, &mut reader);
    let read = each(&mut fields);
    fields.end();
    reader.error.map_or(Ok(read), Err)
}

/// What is read from JSON.
pub trait FromJson {
    /// Reads it. What cannot be read is told to the reader, and stands for nothing.
    fn from_json(value: &Value, reader: &mut Reader) -> Self;
}

/// What is written to JSON.
pub trait ToJson {
    #[allow(missing_docs)]
    fn to_json(&self) -> Value;
}

/// What is read from an object, whose fields it may share with others.
pub trait Record {
    /// Reads its own fields among these.
    fn from_fields(fields: &mut Fields) -> Self;
}

impl<R: Record> FromJson for R {
    fn from_json(value: &Value, reader: &mut Reader) -> R {
        let mut fields = Fields::of(value, reader);
        let record = R::from_fields(&mut fields);
        fields.end();
        record
    }
}

/// A JSON object of fields, whose names become camel case; one without a value has that of the variable of its name.
macro_rules! object {
    ($($field:ident $(: $value:expr)?),* $(,)?) => {
        $crate::json::object(&mut [$((stringify!($field), $crate::json::ToJson::to_json(&object!(@ $field $($value)?)))),*])
    };
    (@ $field:ident) => { $field };
    (@ $field:ident $value:expr) => { $value };
}

/// A struct that is read from an object: each field by its name in camel case, and left out as if it were null.
macro_rules! record {
    ($($(#[$meta:meta])* $vis:vis struct $name:ident { $($(#[$doc:meta])* $field_vis:vis $field:ident: $type:ty),* $(,)? })*) => {$(
        $(#[$meta])*
        $vis struct $name {
            $($(#[$doc])* $field_vis $field: $type,)*
        }

        impl $crate::json::Record for $name {
            #[allow(unused_variables)]
            fn from_fields(fields: &mut $crate::json::Fields) -> Self {
                $name { $($field: fields.read(stringify!($field)),)* }
            }
        }
    )*};
}

/// A struct that is also written so, in the order of its fields.
macro_rules! fitted {
    ($($(#[$meta:meta])* $vis:vis struct $name:ident { $($(#[$doc:meta])* $field_vis:vis $field:ident: $type:ty),* $(,)? })*) => {$(
        record! {
            $(#[$meta])*
            $vis struct $name {
                $($(#[$doc])* $field_vis $field: $type,)*
            }
        }

        impl $crate::json::ToJson for $name {
            fn to_json(&self) -> serde_json::Value {
                object! { $($field: self.$field),* }
            }
        }
    )*};
}

/// An enum of words, which are its variants' names in kebab case. The last may hold what stands in place of a word.
macro_rules! choice {
    ($(
        $(#[$meta:meta])* $vis:vis enum $name:ident {
            $(#[$first_doc:meta])* $first:ident
            $(, $(#[$doc:meta])* $variant:ident $(($type:ty))?)* $(,)?
        }
    )*) => {$(
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq)]
        $vis enum $name {
            $(#[$first_doc])* $first,
            $($(#[$doc])* $variant $(($type))?,)*
        }

        impl $crate::json::FromJson for $name {
            fn from_json(value: &serde_json::Value, reader: &mut $crate::json::Reader) -> Self {
                choice!(@ $name value reader, $first);
                $(choice!(@ $name value reader, $variant $(($type))?);)*
                #[allow(unreachable_code)]
                {
                    reader.wrong(stringify!($name), value);
                    $name::$first
                }
            }
        }
    )*};
    (@ $name:ident $value:ident $reader:ident, $variant:ident) => {
        if $crate::json::is_word($value, stringify!($variant)) {
            return $name::$variant;
        }
    };
    (@ $name:ident $value:ident $reader:ident, $variant:ident($type:ty)) => {
        return $name::$variant($crate::json::FromJson::from_json($value, $reader));
    };
}

/// Where reading is, and what went wrong first.
#[derive(Default)]
pub struct Reader {
    path: Vec<String>,
    error: Option<String>,
}

impl Reader {
    /// Tells of a value of another kind than was expected.
    pub fn wrong(&mut self, expected: &str, value: &Value) {
        self.fail(&format!("expected {expected}, got {value}"));
    }

    fn fail(&mut self, error: &str) {
        let path: String = self.path.iter().flat_map(|field| [field, ": "]).collect();
        self.error.get_or_insert(path + error);
    }
}

/// The fields of an object, until each was read.
pub struct Fields<'a, 'r> {
    object: Option<&'a Map<String, Value>>,
    reader: &'r mut Reader,
    read: Vec<String>,
}

impl<'a, 'r> Fields<'a, 'r> {
    fn of(value: &'a Value, reader: &'r mut Reader) -> Fields<'a, 'r> {
        if !value.is_object() {
            reader.wrong("an object", value);
        }
        Fields { object: value.as_object(), reader, read: Vec::new() }
    }

    /// What the field holds, which Rust calls `field`.
    pub fn read<T: FromJson>(&mut self, field: &str) -> T {
        let value = self.enter(field);
        let read = T::from_json(value, self.reader);
        self.reader.path.pop();
        read
    }

    /// What the field holds, whatever it is.
    pub fn value(&mut self, field: &str) -> &'a Value {
        let value = self.enter(field);
        self.reader.path.pop();
        value
    }

    fn enter(&mut self, field: &str) -> &'a Value {
        let name = camel_case(field);
        let value = self.object.and_then(|object| object.get(&name)).unwrap_or(&Value::Null);
        self.reader.path.push(name.clone());
        self.read.push(name);
        value
    }

    /// Tells of fields that nobody read.
    fn end(self) {
        let mut given = self.object.into_iter().flat_map(|object| object.keys());
        if let Some(unknown) = given.find(|name| !self.read.contains(name)) {
            self.reader.fail(&format!("{unknown}: expected no such field"));
        }
    }
}

/// What [`object!`] makes of its fields, whose values are taken.
pub fn object(fields: &mut [(&str, Value)]) -> Value {
    fields.iter_mut().map(|(field, value)| (camel_case(field), value.take())).collect()
}

/// Whether the value is a variant's name in kebab case.
pub fn is_word(value: &Value, variant: &str) -> bool {
    let mut name = String::new();
    for letter in variant.chars() {
        if letter.is_ascii_uppercase() && !name.is_empty() {
            name.push('-');
        }
        name.push(letter.to_ascii_lowercase());
    }
    value.as_str() == Some(&name)
}

/// A field's name in camel case. An underscore in front is Rust's mark of what is not used.
fn camel_case(field: &str) -> String {
    let mut name = String::new();
    let mut begins_word = false;
    for letter in field.trim_start_matches('_').chars() {
        if letter != '_' {
            name.push(if begins_word { letter.to_ascii_uppercase() } else { letter });
        }
        begins_word = letter == '_';
    }
    name
}

impl FromJson for Value {
    fn from_json(value: &Value, _: &mut Reader) -> Value {
        value.clone()
    }
}

impl<T: FromJson> FromJson for Option<T> {
    fn from_json(value: &Value, reader: &mut Reader) -> Option<T> {
        if value.is_null() { None } else { Some(T::from_json(value, reader)) }
    }
}

impl ToJson for Value {
    fn to_json(&self) -> Value {
        self.clone()
    }
}

impl ToJson for str {
    fn to_json(&self) -> Value {
        self.into()
    }
}

impl<T: ToJson + ?Sized> ToJson for &T {
    fn to_json(&self) -> Value {
        T::to_json(self)
    }
}

impl<T: ToJson> ToJson for Option<T> {
    fn to_json(&self) -> Value {
        self.as_ref().map_or(Value::Null, T::to_json)
    }
}

impl<T: FromJson> FromJson for Vec<T> {
    fn from_json(value: &Value, reader: &mut Reader) -> Vec<T> {
        list(value, reader).iter().map(|value| T::from_json(value, reader)).collect()
    }
}

impl<T: ToJson> ToJson for Vec<T> {
    fn to_json(&self) -> Value {
        self.iter().map(T::to_json).collect()
    }
}

impl<T: FromJson, const N: usize> FromJson for [T; N] {
    fn from_json(value: &Value, reader: &mut Reader) -> [T; N] {
        let list = list(value, reader);
        if list.len() != N {
            reader.wrong(&format!("a list of {N}"), value);
        }
        std::array::from_fn(|i| T::from_json(list.get(i).unwrap_or(&Value::Null), reader))
    }
}

impl<T: ToJson, const N: usize> ToJson for [T; N] {
    fn to_json(&self) -> Value {
        self.iter().map(T::to_json).collect()
    }
}

fn list<'a>(value: &'a Value, reader: &mut Reader) -> &'a [Value] {
    if !value.is_array() {
        reader.wrong("a list", value);
    }
    value.as_array().map_or(&[], Vec::as_slice)
}

/// Types that JSON has itself, each with what it is called and how it is read.
macro_rules! plain {
    ($($type:ty: $expected:literal, $read:expr;)*) => {$(
        impl FromJson for $type {
            fn from_json(value: &Value, reader: &mut Reader) -> $type {
                let read: fn(&Value) -> Option<$type> = $read;
                read(value).unwrap_or_else(|| {
                    reader.wrong($expected, value);
                    <$type>::default()
                })
            }
        }

        impl ToJson for $type {
            fn to_json(&self) -> Value {
                Value::from(self.clone())
            }
        }
    )*};
}

plain! {
    bool: "true or false", Value::as_bool;
    f64: "a number", Value::as_f64;
    f32: "a number", |value| value.as_f64().map(|number| number as f32);
    i32: "a whole number", |value| value.as_i64()?.try_into().ok();
    u32: "a whole number", |value| value.as_u64()?.try_into().ok();
    u64: "a whole number", Value::as_u64;
    usize: "a whole number", |value| value.as_u64()?.try_into().ok();
    String: "a text", |value| value.as_str().map(str::to_owned);
    Map<String, Value>: "an object", |value| value.as_object().cloned();
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    record! {
        #[derive(Debug, PartialEq)]
        struct Some {
            two_words: usize,
            _unused: Option<bool>,
            limits: [f64; 2],
        }
    }

    choice! {
        #[derive(Debug)]
        enum Least {
            InverseRootCount,
            T1,
            Value(f64),
        }
    }

    #[test]
    fn a_struct_is_read_by_its_fields_names() {
        let expected = Some { two_words: 3, _unused: None, limits: [0.5, 1.0] };
        assert_eq!(read(&json!({ "twoWords": 3, "limits": [0.5, 1] })), Ok(expected));
        let error = |value| read::<Some>(&value).unwrap_err();
        assert_eq!(error(json!([3])), "expected an object, got [3]");
        assert_eq!(error(json!({ "limits": [0, 1] })), "twoWords: expected a whole number, got null");
        assert_eq!(error(json!({ "twoWords": 1.5 })), "twoWords: expected a whole number, got 1.5");
        assert_eq!(error(json!({ "twoWords": 3, "limits": [1] })), "limits: expected a list of 2, got [1]");
        let more = json!({ "twoWords": 3, "limits": [0, 1], "two_words": 3 });
        assert_eq!(error(more), "two_words: expected no such field");
    }

    #[test]
    fn an_enum_is_read_by_its_variants_names() {
        assert_eq!(read(&json!("inverse-root-count")), Ok(Least::InverseRootCount));
        assert_eq!(read(&json!("t1")), Ok(Least::T1));
        assert_eq!(read(&json!(2)), Ok(Least::Value(2.0)));
        assert_eq!(read::<Least>(&json!("T1")), Err("expected a number, got \"T1\"".to_owned()));
    }
}
