//! Write Muxel plugins in Rust.
//!
//! A plugin is a type that implements [`Describe`] and one or more of [`Classifier`], [`CostModel`], [`Strategy`] and
//! [`Learner`], exported with [`export!`]:
//!
//! ```
//! use muxel_sdk::{
//!     Candidate, Classification, Column, Describe, Manifest, Ranked, Ranking, Refusal, Request, Strategy, Value, export,
//! };
//!
//! struct FirstCome;
//!
//! impl Describe for FirstCome {
//!     fn describe() -> Manifest {
//!         Manifest::new("first-come", env!("CARGO_PKG_VERSION"), "keeps the order the host offers")
//!     }
//! }
//!
//! impl Strategy for FirstCome {
//!     fn rank(
//!         _: Request,
//!         _: Vec<Value>,
//!         _: Vec<u8>,
//!         _: Classification,
//!         candidates: Vec<Candidate>,
//!         _: Vec<Column>,
//!     ) -> Result<Ranking, Refusal> {
//!         let order = (0..candidates.len() as u32).map(|candidate| Ranked { candidate, score: 0.0 }).collect();
//!         Ok(Ranking { order, parts: vec![], reason: "first come, first served".to_owned(), propensity: 1.0 })
//!     }
//! }
//!
//! export!(FirstCome: strategy);
//! ```
//!
//! Every call runs in a fresh sandbox with the request, time and randomness as arguments: nothing is kept between two
//! calls, and there is no network, file or clock to ask. `wit/plugin.wit` says what every field means; the names here
//! are the same in Rust's spelling.
//!
//! On any target but wasm32 [`export!`] exports nothing, so plugins have ordinary unit tests. There, `testing` makes
//! random inputs and holds answers against the host's own rules.
//!
//! The feature `heap`, on by default, gives a plugin an allocator for one call: it halves the time of a small call, and
//! gives memory back only with the sandbox. A plugin that churns through much memory switches it off.

extern crate self as muxel_sdk;

#[doc(hidden)]
#[allow(
    clippy::all,
    clippy::pedantic,
    clippy::str_to_string,
    clippy::allow_attributes_without_reason,
    clippy::unwrap_used,
    missing_docs,
    unreachable_pub,
    unsafe_code,
    reason = "generated from `wit/`; the canonical ABI is made of raw pointers"
)]
#[rustfmt::skip]
pub mod bindings;
#[doc(hidden)]
#[rustfmt::skip]
mod worlds;

mod build;
mod draws;
#[cfg(any(test, all(feature = "heap", target_arch = "wasm32", target_os = "unknown")))]
mod heap;
mod manifest;
mod reason;
#[cfg(not(target_arch = "wasm32"))]
pub mod testing;

pub use draws::Draws;
pub use reason::Reason;
#[doc(hidden)]
pub use wit_bindgen;

pub use bindings::exports::muxel::plugin::{
    classifier::Guest as Classifier,
    cost_model::Guest as CostModel,
    describe::{ChoiceOptions, Guest as Describe, Manifest, NumberRange, Setting, SettingKind},
    learner::Guest as Learner,
    strategy::Guest as Strategy,
};
pub use bindings::muxel::plugin::types::{
    Candidate, Classification, Column, Delivery, Estimate, Fact, Latency, MicroUsd, Observation, Offer, Outcome, Part,
    Priority, Quality, Ranked, Ranking, Refusal, Request, Tariff, Trait, Value,
};

/// Exports a type as a plugin: `export!(MyType: strategy)`.
///
/// The word after the colon is the plugin's world: `classifier`, `cost-model`, `strategy`, `learner` (a strategy that
/// learns) or `everything`. The type implements [`Describe`] and the world's traits.
#[macro_export]
macro_rules! export {
    ($plugin:ident : classifier) => {
        $crate::__export_interfaces!($plugin, classifier_plugin: describe, classifier);
    };
    ($plugin:ident : cost-model) => {
        $crate::__export_interfaces!($plugin, cost_model_plugin: describe, cost_model);
    };
    ($plugin:ident : strategy) => {
        $crate::__export_interfaces!($plugin, strategy_plugin: describe, strategy);
    };
    ($plugin:ident : learner) => {
        $crate::__export_interfaces!($plugin, learning_strategy_plugin: describe, strategy, learner);
    };
    ($plugin:ident : everything) => {
        $crate::__export_interfaces!($plugin, full_plugin: describe, classifier, cost_model, strategy, learner);
    };
    ($($other:tt)*) => {
        compile_error!(
            "write `export!(YourType: WORLD)`, where WORLD is strategy, classifier, cost-model, learner or everything"
        );
    };
}

#[doc(hidden)]
#[macro_export]
#[cfg(not(target_arch = "wasm32"))]
macro_rules! __export_interfaces {
    ($plugin:ident, $world:ident : $($interface:ident),*) => {
        // Nothing is exported, but what would be must exist.
        const _: fn() -> $crate::Manifest = <$plugin as $crate::Describe>::describe;
        $($crate::__implements!($plugin $interface);)*
    };
}

#[doc(hidden)]
#[macro_export]
#[cfg(not(target_arch = "wasm32"))]
macro_rules! __implements {
    ($plugin:ident describe) => {};
    ($plugin:ident classifier) => {
        const _: () = {
            let _ = <$plugin as $crate::Classifier>::classify;
        };
    };
    ($plugin:ident cost_model) => {
        const _: () = {
            let _ = <$plugin as $crate::CostModel>::price;
        };
    };
    ($plugin:ident strategy) => {
        const _: () = {
            let _ = <$plugin as $crate::Strategy>::rank;
        };
    };
    ($plugin:ident learner) => {
        const _: () = {
            let _ = <$plugin as $crate::Learner>::learn;
        };
    };
}

#[doc(hidden)]
#[macro_export]
#[cfg(target_arch = "wasm32")]
macro_rules! __export_interfaces {
    ($plugin:ident, $world:ident : $($interface:ident),*) => {
        $($crate::__export_interface!($plugin $interface);)*
        $crate::__section!($world);
    };
}

#[doc(hidden)]
#[macro_export]
#[cfg(target_arch = "wasm32")]
macro_rules! __export_interface {
    ($plugin:ident describe) => {
        $crate::__export_muxel_plugin_describe_0_1_0_cabi!(
            $plugin with_types_in $crate::bindings::exports::muxel::plugin::describe
        );
    };
    ($plugin:ident classifier) => {
        $crate::__export_muxel_plugin_classifier_0_1_0_cabi!(
            $plugin with_types_in $crate::bindings::exports::muxel::plugin::classifier
        );
    };
    ($plugin:ident cost_model) => {
        $crate::__export_muxel_plugin_cost_model_0_1_0_cabi!(
            $plugin with_types_in $crate::bindings::exports::muxel::plugin::cost_model
        );
    };
    ($plugin:ident strategy) => {
        $crate::__export_muxel_plugin_strategy_0_1_0_cabi!(
            $plugin with_types_in $crate::bindings::exports::muxel::plugin::strategy
        );
    };
    ($plugin:ident learner) => {
        $crate::__export_muxel_plugin_learner_0_1_0_cabi!(
            $plugin with_types_in $crate::bindings::exports::muxel::plugin::learner
        );
    };
}

#[doc(hidden)]
#[macro_export]
#[cfg(target_arch = "wasm32")]
macro_rules! __section {
    (classifier_plugin) => {
        $crate::__section_classifier_plugin!();
    };
    (cost_model_plugin) => {
        $crate::__section_cost_model_plugin!();
    };
    (strategy_plugin) => {
        $crate::__section_strategy_plugin!();
    };
    (learning_strategy_plugin) => {
        $crate::__section_learning_strategy_plugin!();
    };
    (full_plugin) => {
        $crate::__section_full_plugin!();
    };
}
