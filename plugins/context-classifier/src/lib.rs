//! context-classifier
