//! fastest
