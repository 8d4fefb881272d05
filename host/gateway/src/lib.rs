//! The gateway: configuration, the way of a request, HTTP.
//!
//! `App::build` is the one place where sandbox, dispatch and ledger are joined.

pub mod config;

mod app;
mod archive;
mod claims;
mod comparison;
mod fixed;
mod gate;
mod http;
mod learning;
mod media;
mod pipeline;
mod places;
mod prepare;
mod preview;
mod refusal;
mod reload;
mod serve;
mod service;
mod shadows;
mod snapshot;
mod state;
mod warm;
mod when;

pub use app::{App, BuildError, load_plugins};
pub use http::describe;
pub use preview::{Alternative, Ask, Case, Instead, Preview, PreviewError, Tried};
pub use reload::{ReloadError, Reloaded, Source};
pub use serve::serve;
pub use when::{NotAMoment, When};
