//! hybrid
