//! Counts and logs every transfer of a run.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::clock::Clock;
use crate::usb::{Link, Reply, Transfer, TransferError};

/// A link whose transfers are counted.
pub struct Meter {
    link: Box<dyn Link>,
    count: Arc<AtomicU64>,
}

impl Meter {
    /// Counts the transfers of `link` into `count`.
    pub fn new(link: Box<dyn Link>, count: Arc<AtomicU64>) -> Self {
        Self { link, count }
    }
}

impl Link for Meter {
    fn exchange(&mut self, transfer: &Transfer) -> Result<Reply, TransferError> {
        self.count.fetch_add(1, Ordering::Relaxed);
        let result = self.link.exchange(transfer);
        match &result {
            Ok(reply) if reply.data.is_empty() => log::debug!("{transfer}: ok"),
            Ok(reply) => log::debug!("{transfer}: {} bytes", reply.data.len()),
            Err(error) => log::debug!("{transfer}: {error}"),
        }
        if log::log_enabled!(log::Level::Trace) {
            match (transfer, &result) {
                (Transfer::ControlOut { data, .. } | Transfer::BulkOut { data, .. }, _) => {
                    dump('>', data);
                }
                (_, Ok(reply)) => dump('<', &reply.data),
                _ => {}
            }
        }
        result
    }

    fn clock(&self) -> Arc<dyn Clock> {
        self.link.clock()
    }
}

fn dump(direction: char, data: &[u8]) {
    for (row, chunk) in data.chunks(16).enumerate() {
        log::trace!("{direction} {:04x}: {}", row * 16, hex::encode(chunk));
    }
}
