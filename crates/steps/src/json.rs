//! Options and fitted values in JSON, by the names of their fields. The macros make little code of each type, where what
//! serde derives was a third of the WebAssembly module.

use serde_json::{Map, Value};

/// What is read from JSON. The error says what was expected and what came.
pub trait FromJson: Sized {
    /// Reads it; strictly, so that nothing given is passed over.
    fn from_json(value: &Value) -> Result<Self, String>;
}

/// What is written to JSON.
pub trait ToJson {
    #[allow(missing_docs)]
    fn to_json(&self) -> Value;
}

/// What is read from an object, whose fields it may share with others.
pub trait Record: Sized {
    /// Reads its own fields among these.
    fn from_fields(fields: &mut Fields) -> Result<Self, String>;
}

impl<R: Record> FromJson for R {
    fn from_json(value: &Value) -> Result<R, String> {
        let mut fields = Fields::of(value)?;
        let record = R::from_fields(&mut fields)?;
        fields.end().map(|()| record)
    }
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
            fn from_fields(fields: &mut $crate::json::Fields) -> Result<Self, String> {
                Ok($name { $($field: fields.read(stringify!($field))?,)* })
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
                $crate::json::object(&mut [$((stringify!($field), self.$field.to_json())),*])
            }
        }
    )*};
}

/// An enum of words, which are its variants' names in kebab case. A variant may hold what stands in place of a word.
macro_rules! choice {
    ($($(#[$meta:meta])* $vis:vis enum $name:ident { $($(#[$doc:meta])* $variant:ident $(($type:ty))?),* $(,)? })*) => {$(
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq)]
        $vis enum $name {
            $($(#[$doc])* $variant $(($type))?,)*
        }

        impl $crate::json::FromJson for $name {
            fn from_json(value: &serde_json::Value) -> Result<Self, String> {
                $(choice!(@ value, $name::$variant $(($type))?);)*
                Err($crate::json::wrong(concat!("a ", stringify!($name)), value))
            }
        }
    )*};
    (@ $value:ident, $name:ident::$variant:ident) => {
        if $crate::json::is_word($value, stringify!($variant)) {
            return Ok($name::$variant);
        }
    };
    (@ $value:ident, $name:ident::$variant:ident($type:ty)) => {
        if let Ok(given) = <$type as $crate::json::FromJson>::from_json($value) {
            return Ok($name::$variant(given));
        }
    };
}

/// The fields of an object, until each was read.
pub struct Fields<'a> {
    object: &'a Map<String, Value>,
    read: Vec<String>,
}

impl<'a> Fields<'a> {
    /// Those of a value that is an object.
    pub fn of(value: &'a Value) -> Result<Fields<'a>, String> {
        let object = value.as_object().ok_or_else(|| wrong("an object", value))?;
        Ok(Fields { object, read: Vec::new() })
    }

    /// What the field holds, which Rust calls `field`; null where there is none.
    pub fn value(&mut self, field: &str) -> &'a Value {
        let name = camel_case(field);
        let value = self.object.get(&name).unwrap_or(&Value::Null);
        self.read.push(name);
        value
    }

    /// What the field holds, of the type that is wanted.
    pub fn read<T: FromJson>(&mut self, field: &str) -> Result<T, String> {
        T::from_json(self.value(field)).map_err(|error| format!("{}: {error}", camel_case(field)))
    }

    /// Fails where there are fields that nobody read.
    pub fn end(self) -> Result<(), String> {
        let unknown = self.object.keys().find(|name| !self.read.contains(name));
        unknown.map_or(Ok(()), |name| Err(format!("{name}: expected no such field")))
    }
}

/// An object of these fields; their values are taken.
pub fn object(fields: &mut [(&str, Value)]) -> Value {
    fields.iter_mut().map(|(field, value)| (camel_case(field), value.take())).collect()
}

/// The error of a value of another kind.
pub fn wrong(expected: &str, value: &Value) -> String {
    format!("expected {expected}, got {value}")
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
    let mut words = field.trim_start_matches('_').split('_');
    let mut name = words.next().unwrap_or_default().to_owned();
    for word in words {
        let (first, rest) = word.split_at(1);
        name.push_str(&first.to_ascii_uppercase());
        name.push_str(rest);
    }
    name
}

impl FromJson for Value {
    fn from_json(value: &Value) -> Result<Value, String> {
        Ok(value.clone())
    }
}

impl ToJson for Value {
    fn to_json(&self) -> Value {
        self.clone()
    }
}

impl FromJson for Map<String, Value> {
    fn from_json(value: &Value) -> Result<Map<String, Value>, String> {
        value.as_object().cloned().ok_or_else(|| wrong("an object", value))
    }
}

impl ToJson for Map<String, Value> {
    fn to_json(&self) -> Value {
        self.clone().into()
    }
}

impl<T: FromJson> FromJson for Option<T> {
    fn from_json(value: &Value) -> Result<Option<T>, String> {
        if value.is_null() { Ok(None) } else { T::from_json(value).map(Some) }
    }
}

impl<T: ToJson> ToJson for Option<T> {
    fn to_json(&self) -> Value {
        self.as_ref().map_or(Value::Null, T::to_json)
    }
}

impl<T: FromJson> FromJson for Vec<T> {
    fn from_json(value: &Value) -> Result<Vec<T>, String> {
        value.as_array().ok_or_else(|| wrong("a list", value))?.iter().map(T::from_json).collect()
    }
}

impl<T: ToJson> ToJson for Vec<T> {
    fn to_json(&self) -> Value {
        self.iter().map(T::to_json).collect()
    }
}

impl<T: FromJson, const N: usize> FromJson for [T; N] {
    fn from_json(value: &Value) -> Result<[T; N], String> {
        Vec::from_json(value)?.try_into().map_err(|_| wrong(&format!("a list of {N}"), value))
    }
}

impl<T: ToJson, const N: usize> ToJson for [T; N] {
    fn to_json(&self) -> Value {
        self.iter().map(T::to_json).collect()
    }
}

/// Types that JSON has itself, each with what it is called and how it is read.
macro_rules! plain {
    ($($type:ty: $expected:literal, $read:expr;)*) => {$(
        impl FromJson for $type {
            fn from_json(value: &Value) -> Result<$type, String> {
                let read: fn(&Value) -> Option<$type> = $read;
                read(value).ok_or_else(|| wrong($expected, value))
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
        assert_eq!(Some::from_json(&json!({ "twoWords": 3, "limits": [0.5, 1] })), Ok(expected));
        let error = |value| Some::from_json(&value).unwrap_err();
        assert_eq!(error(json!([3])), "expected an object, got [3]");
        assert_eq!(error(json!({ "limits": [0, 1] })), "twoWords: expected a whole number, got null");
        assert_eq!(error(json!({ "twoWords": 1.5 })), "twoWords: expected a whole number, got 1.5");
        assert_eq!(error(json!({ "twoWords": 3, "limits": [1] })), "limits: expected a list of 2, got [1]");
        let more = json!({ "twoWords": 3, "limits": [0, 1], "two_words": 3 });
        assert_eq!(error(more), "two_words: expected no such field");
    }

    #[test]
    fn an_enum_is_read_by_its_variants_names() {
        assert_eq!(Least::from_json(&json!("inverse-root-count")), Ok(Least::InverseRootCount));
        assert_eq!(Least::from_json(&json!("t1")), Ok(Least::T1));
        assert_eq!(Least::from_json(&json!(2)), Ok(Least::Value(2.0)));
        assert_eq!(Least::from_json(&json!("T1")), Err("expected a Least, got \"T1\"".to_owned()));
    }
}
