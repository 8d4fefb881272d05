//! cheapest
