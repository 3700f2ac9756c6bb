//! DELETE: of servers, floating IPs, ports and volumes alike.

use ureq::http::Method;

use super::catalog::Service;
use super::error::{Fault, unreachable};
use super::session::{Call, CallError, Session};
use crate::http::{HttpError, escaped};
use crate::model::ServerId;
use crate::provider::{Deleted, ProviderError};
use crate::text::printable;

/// Deletes a server.
pub(super) fn server(session: &mut Session, id: &ServerId) -> Result<Deleted, ProviderError> {
    let what = format!("delete server {}", printable(id.as_str(), 60));
    one(session, (Service::Compute, "/servers"), id.as_str(), &what)
}

/// Deletes one entry of the list at a path.
pub(super) fn one(
    session: &mut Session,
    (service, list): (Service, &str),
    id: &str,
    what: &str,
) -> Result<Deleted, ProviderError> {
    if id.is_empty() {
        return Err(ProviderError::Refused(format!("{what}: it has no id")));
    }
    let call = Call {
        method: Method::DELETE,
        service,
        path: &format!("{list}/{}", escaped(id)),
        body: None,
    };
    let reply = match session.call(&call) {
        Ok(reply) => reply,
        Err(CallError::NotMade(error)) => return Err(error),
        // The next pass asks again.
        Err(CallError::Http(error @ HttpError::Broken { .. })) => {
            return Err(ProviderError::Unknown(format!("{what}: {error}")));
        }
        Err(CallError::Http(error)) => return Err(unreachable(what, &error)),
    };
    let fault = Fault::read(&reply);
    match reply.status {
        200..=299 => Ok(Deleted::Accepted),
        _ if fault.is_gone(service) => Ok(Deleted::AlreadyGone),
        _ => Err(fault.of_delete(what)),
    }
}
