/** What executions can be found by. The server keeps ten Keyword attributes at most in its smallest store. */
export const searchAttributes = {
  FairwayProgram: 'Keyword',
  FairwayPipeline: 'Keyword',
  FairwayExecution: 'Keyword',
  /** NORMAL or EMERGENCY */
  FairwayMode: 'Keyword',
  FairwayStatus: 'Keyword',
  /** Id of the current step. */
  FairwayStep: 'Keyword',
  /** Id of the step that waits for a person, or `nobody`. */
  FairwayWaiting: 'Keyword',
  /** Until when that person may act. */
  FairwayDeadline: 'Datetime',
} as const;
