//! A macro that makes types and codecs from a table of layouts, one line a record.

/// The layout of a record on the log, or of a row in storage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    pub tag: u64,
    pub name: &'static str,
    /// The names of the fields in Rust: a name that is a keyword begins with `r#`.
    pub fields: &'static [&'static str],
}

impl Layout {
    /// The names of the fields, in the order in which they follow the tag.
    pub fn field_names(&self) -> impl Iterator<Item = &'static str> {
        self.fields.iter().map(|name| name.trim_start_matches("r#"))
    }
}

/// Makes an enum of tagged arrays, `[tag, field, …]`, and its codec.
///
/// A field with a default may be missing at the end of an array, if an older version wrote it.
/// Values behind the last field come from a newer version, and are skipped.
macro_rules! layouts {
    (
        $(#[$doc:meta])*
        $name:ident<$a:lifetime> {
            $( $(#[$variant_doc:meta])* $tag:literal $variant:ident {
                $( $field:ident: $type:ty $(= $default:expr)? ),* $(,)?
            } )*
        }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq)]
        pub enum $name<$a> {
            $( $(#[$variant_doc])* $variant { $( $field: $type ),* }, )*
        }

        impl<$a> $name<$a> {
            /// All layouts, in the order of the table.
            pub const LAYOUTS: &'static [$crate::record::Layout] = &[
                $( $crate::record::Layout {
                    tag: $tag,
                    name: stringify!($variant),
                    fields: &[$( stringify!($field) ),*],
                } ),*
            ];

            /// The number at the start of the array.
            pub fn tag(&self) -> u64 {
                match self {
                    $( $name::$variant { .. } => $tag, )*
                }
            }

            pub fn name(&self) -> &'static str {
                match self {
                    $( $name::$variant { .. } => stringify!($variant), )*
                }
            }

            /// Reads one; refuses an unknown tag.
            pub fn read(reader: &mut $crate::msgpack::Reader<$a>) -> $crate::Result<Self> {
                use $crate::record::fields::Fields;
                let mut fields = Fields::tagged(reader)?;
                let value = match fields.tag() {
                    $( $tag => $name::$variant {
                        $( $field: layouts!(@read fields, $field: $type $(= $default)?) ),*
                    }, )*
                    _ => return Err(fields.unknown_tag()),
                };
                fields.finish()?;
                Ok(value)
            }

            /// Adds its encoding to `out`.
            pub fn write(&self, out: &mut Vec<u8>) {
                match self {
                    $( $name::$variant { $( $field ),* } => {
                        let count = 1 $( + layouts!(@one $field) )*;
                        $crate::record::fields::write_head(out, count, $tag);
                        $( $crate::record::Field::write($field, out); )*
                    } )*
                }
            }

            /// One of each, for tests.
            #[cfg(test)]
            pub(crate) fn samples(random: &mut $crate::record::tests::Random) -> Vec<Self> {
                vec![ $( $name::$variant {
                    $( $field: $crate::record::Field::sample(random) ),*
                } ),* ]
            }

            /// A JSON object of its name (as `kind`) and its fields.
            pub fn to_json(&self) -> String {
                let mut json = $crate::record::Json::default();
                json.object(|json| {
                    json.field("kind", &self.name());
                    self.show(json);
                });
                json.take()
            }

            /// Adds its fields to a JSON object.
            pub(crate) fn show(&self, json: &mut $crate::record::Json<$a>) {
                match self {
                    $( $name::$variant { $( $field ),* } => {
                        $( json.field(stringify!($field), $field); )*
                    } )*
                }
            }
        }
    };

    (@read $fields:ident, $field:ident: $type:ty) => { $fields.required(stringify!($field))? };
    (@read $fields:ident, $field:ident: $type:ty = $default:expr) => { $fields.or::<$type>($default)? };
    (@one $field:ident) => { 1 };
}

pub(crate) use layouts;
