//! Columns in memory, and their Parquet file.
//!
//! The physical types are those that every reader takes: signed INT64, since UINT64 is a decimal in Spark; timestamps in
//! microseconds of UTC, since Spark refuses nanoseconds; text as UTF-8. Reference: "Parquet Logical Type Definitions",
//! apache/parquet-format, LogicalTypes.md.

use std::io::Write;
use std::sync::Arc;

use parquet::basic::{Compression, LogicalType, Repetition, TimeUnit, Type as Physical};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DataType, DoubleType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::types::Type;

/// What a column holds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// A signed integer of 64 bits.
    Integer,
    /// A double.
    Real,
    /// True or false.
    Flag,
    /// UTF-8.
    Text,
    /// Microseconds since 1970, UTC.
    Time,
}

impl Kind {
    /// Its name in SQL.
    #[must_use]
    pub const fn sql(self) -> &'static str {
        match self {
            Self::Integer => "BIGINT",
            Self::Real => "DOUBLE",
            Self::Flag => "BOOLEAN",
            Self::Text => "VARCHAR",
            Self::Time => "TIMESTAMP",
        }
    }
}

/// A value of a row, as its column takes it.
pub(crate) trait Cell {
    /// The kind of the column.
    const KIND: Kind;
    /// Whether it can be absent.
    const OPTIONAL: bool = false;

    /// Adds it to its column.
    fn add(self, to: &mut Column);
}

/// A moment, in microseconds since 1970 (UTC).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Micros(pub i64);

/// The values of a column.
#[derive(Clone, Debug, PartialEq)]
enum Values {
    Integers(Vec<i64>),
    Reals(Vec<f64>),
    Flags(Vec<bool>),
    Texts(Vec<ByteArray>),
}

/// A column of a table in memory.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    name: String,
    kind: Kind,
    values: Values,
    /// For each row whether there is a value; none if there always is.
    present: Option<Vec<i16>>,
}

impl Column {
    /// An empty column.
    #[must_use]
    pub(crate) fn new(name: impl Into<String>, kind: Kind, optional: bool) -> Self {
        let values = match kind {
            Kind::Integer | Kind::Time => Values::Integers(Vec::new()),
            Kind::Real => Values::Reals(Vec::new()),
            Kind::Flag => Values::Flags(Vec::new()),
            Kind::Text => Values::Texts(Vec::new()),
        };
        Self { name: name.into(), kind, values, present: optional.then(Vec::new) }
    }

    /// Its name.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Adds a value of the column's kind.
    pub(crate) fn add(&mut self, value: impl Cell) {
        value.add(self);
    }

    fn schema(&self) -> Result<Type, ParquetError> {
        let (physical, logical) = match self.kind {
            Kind::Integer => (Physical::INT64, None),
            Kind::Real => (Physical::DOUBLE, None),
            Kind::Flag => (Physical::BOOLEAN, None),
            Kind::Text => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
            Kind::Time => (Physical::INT64, Some(LogicalType::timestamp(true, TimeUnit::MICROS))),
        };
        let repetition = if self.present.is_some() { Repetition::OPTIONAL } else { Repetition::REQUIRED };
        Type::primitive_type_builder(&self.name, physical)
            .with_repetition(repetition)
            .with_logical_type(logical)
            .build()
    }

    fn bytes(&self) -> usize {
        let present = self.present.as_ref().map_or(0, |present| size_of_val(present.as_slice()));
        present
            + match &self.values {
                Values::Integers(of) => size_of_val(of.as_slice()),
                Values::Reals(of) => size_of_val(of.as_slice()),
                Values::Flags(of) => of.len(),
                Values::Texts(of) => of.iter().map(|text| size_of::<ByteArray>() + text.len()).sum(),
            }
    }

    fn append(&mut self, other: Self) {
        match (&mut self.values, other.values) {
            (Values::Integers(to), Values::Integers(from)) => to.extend(from),
            (Values::Reals(to), Values::Reals(from)) => to.extend(from),
            (Values::Flags(to), Values::Flags(from)) => to.extend(from),
            (Values::Texts(to), Values::Texts(from)) => to.extend(from),
            _ => unreachable!("columns of one table have one kind"),
        }
        if let Some((to, from)) = self.present.as_mut().zip(other.present) {
            to.extend(from);
        }
    }

    fn write<W: Write + Send>(
        &self,
        group: &mut SerializedRowGroupWriter<'_, W>,
    ) -> Result<(), ParquetError> {
        match &self.values {
            Values::Integers(of) => self.write_as::<Int64Type, W>(of, group),
            Values::Reals(of) => self.write_as::<DoubleType, W>(of, group),
            Values::Flags(of) => self.write_as::<BoolType, W>(of, group),
            Values::Texts(of) => self.write_as::<ByteArrayType, W>(of, group),
        }
    }

    fn write_as<T: DataType, W: Write + Send>(
        &self,
        values: &[T::T],
        group: &mut SerializedRowGroupWriter<'_, W>,
    ) -> Result<(), ParquetError> {
        let mut column = group.next_column()?.expect("the file has the columns of the rows");
        column.typed::<T>().write_batch(values, self.present.as_deref(), None)?;
        column.close()
    }
}

/// Rows of a table, by columns.
#[derive(Clone, Debug, PartialEq)]
pub struct Rows {
    pub(crate) columns: Vec<Column>,
    pub(crate) count: usize,
}

/// A Parquet file that cannot be written.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct FileError(#[from] ParquetError);

impl Rows {
    /// How many there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.count
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// About how many bytes of memory they take.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.columns.iter().map(Column::bytes).sum()
    }

    /// Adds the rows of another piece of the same table.
    pub fn append(&mut self, other: Self) {
        if self.columns.is_empty() {
            *self = other;
            return;
        }
        self.count += other.count;
        self.columns.iter_mut().zip(other.columns).for_each(|(to, from)| to.append(from));
    }

    /// Writes them as a Parquet file, compressed by Snappy, which every reader has.
    ///
    /// # Errors
    /// `out` cannot be written.
    pub fn write(&self, out: impl Write + Send) -> Result<(), FileError> {
        let fields: Result<Vec<_>, _> =
            self.columns.iter().map(|column| column.schema().map(Arc::new)).collect();
        let schema = Type::group_type_builder("assay").with_fields(fields?).build()?;
        let properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .set_created_by(concat!("assay ", env!("CARGO_PKG_VERSION")).to_owned())
            .build();
        let mut file = SerializedFileWriter::new(out, Arc::new(schema), Arc::new(properties))?;
        if !self.is_empty() {
            let mut group = file.next_row_group()?;
            self.columns.iter().try_for_each(|column| column.write(&mut group))?;
            group.close()?;
        }
        file.close()?;
        Ok(())
    }
}

/// Text as Parquet has it.
pub(crate) fn text(of: &str) -> ByteArray {
    ByteArray::from(of)
}

macro_rules! cells {
    ($($type:ty, $kind:ident, $values:ident, $value:ident => $as:expr;)*) => {
        $(impl Cell for $type {
            const KIND: Kind = Kind::$kind;

            fn add(self, to: &mut Column) {
                let $value = self;
                let Values::$values(values) = &mut to.values else { unreachable!("a column of this kind") };
                values.push($as);
            }
        })*
    };
}

cells! {
    i64, Integer, Integers, value => value;
    u32, Integer, Integers, value => value.into();
    u16, Integer, Integers, value => value.into();
    // A count that does not fit is one that no machine reaches.
    u64, Integer, Integers, value => i64::try_from(value).unwrap_or(i64::MAX);
    usize, Integer, Integers, value => i64::try_from(value).unwrap_or(i64::MAX);
    Micros, Time, Integers, value => value.0;
    f64, Real, Reals, value => value;
    bool, Flag, Flags, value => value;
    &str, Text, Texts, value => text(value);
    String, Text, Texts, value => ByteArray::from(value.into_bytes());
    ByteArray, Text, Texts, value => value;
}

impl<T: Cell> Cell for Option<T> {
    const KIND: Kind = T::KIND;
    const OPTIONAL: bool = true;

    fn add(self, to: &mut Column) {
        if let Some(present) = &mut to.present {
            present.push(self.is_some().into());
        }
        if let Some(value) = self {
            value.add(to);
        }
    }
}
