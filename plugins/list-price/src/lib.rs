//! list-price
