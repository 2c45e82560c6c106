//! Fluent Bit files.
