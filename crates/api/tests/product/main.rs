//! The product API over the whole application: the chain of requests and answers, and what becomes of documents.

mod chain;
mod documents;
mod engines;
mod keys;
mod rekey;
mod replay;
mod scene;
