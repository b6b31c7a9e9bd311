//! Counts and logs every transfer of a run.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::clock::Clock;
use crate::usb::hexdump::HexDump;
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
        let clock = self.link.clock();
        let began = clock.now();
        let result = self.link.exchange(transfer);
        let took = clock.now().saturating_sub(began);
        match &result {
            Ok(reply) => log::debug!("{transfer}: {} bytes, {took:?}", reply.data.len()),
            Err(error) => log::debug!("{transfer}: {error}, {took:?}"),
        }
        if let Transfer::ControlOut { data, .. } | Transfer::BulkOut { data, .. } = transfer {
            log::trace!("sent{}", HexDump(data));
        } else if let Ok(reply) = &result {
            log::trace!("received{}", HexDump(&reply.data));
        }
        result
    }

    fn clock(&self) -> Arc<dyn Clock> {
        self.link.clock()
    }
}
