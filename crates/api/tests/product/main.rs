//! The product API over the whole application: the chain of requests and answers, and what becomes of documents.

mod audit;
mod chain;
mod documents;
mod engines;
mod halted;
mod keys;
mod rekey;
mod replay;
mod restore;
mod scene;
mod wire;
