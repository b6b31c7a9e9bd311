//! The CPU against the facts known of it.
