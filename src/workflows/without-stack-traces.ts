/*
 * Loaded before the workflows of a worker. The SDK keeps the stack trace of every promise that a workflow waits for, and
 * looks each line up in the source map: half of a cached execution's memory and a third of the time that its decisions
 * take, for a query that nobody asks. V8 makes none where there is no limit of them. Errors of workflows are without one
 * too; a replay of the history shows it (docs/development.md).
 */
delete (Error as Partial<ErrorConstructor>).stackTraceLimit;
