// Plain JavaScript: Temporal's client loads this with `require`, its workers put it into the bundle of workflows.
const { DefaultFailureConverter } = require('@temporalio/common');

/** Messages and stack traces of failures are encrypted as everything else is. */
exports.failureConverter = new DefaultFailureConverter({ encodeCommonAttributes: true });
