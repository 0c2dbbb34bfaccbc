//! [`Line`]: a network for tests, at whose end one server answers every message.

use std::sync::Arc;

use url::Url;

use super::{Connector, Effort, ExchangeFuture, Fetch, FetchFuture, Message, Session};

/// What answers messages.
pub(crate) trait Answer: Send + Sync + 'static {
    fn answer(&self, message: Message) -> ExchangeFuture<'_>;
}

/// The way to it, whoever is meant.
pub(crate) struct Line<S>(pub(crate) Arc<S>);

impl<S: Answer> Fetch for Line<S> {
    fn session(&self, _: &Connector, _: Effort) -> Arc<dyn Session> {
        Arc::new(Self(Arc::clone(&self.0)))
    }
}

impl<S: Answer> Session for Line<S> {
    fn get<'a>(&'a self, _: &'a Url) -> FetchFuture<'a> {
        Box::pin(async { unreachable!("a message is sent") })
    }

    fn exchange(&self, message: Message) -> ExchangeFuture<'_> {
        self.0.answer(message)
    }
}
