import type { FindingSeverity, FindingType } from '../../model/findings.ts';

/** A rule of PMD that is applied. What is not in this table is not looked for. */
export interface PmdRule {
  /** Category and name of PMD's, or the name of an expression of ours. */
  readonly name: string;
  readonly type: FindingType;
  readonly severity: FindingSeverity;
  /** Cloud Manager's key, where it has the rule. */
  readonly key?: string;
  readonly cloudService?: boolean;
  /** XPath over PMD's tree, for the rules that PMD does not have, and what is wrong where it matches. */
  readonly xpath?: string;
  readonly message?: string;
}

const rules = (type: FindingType, severity: FindingSeverity, ...names: string[]): PmdRule[] =>
  names.map((name) => ({ name, type, severity }));

/** An expression that finds a rule of Cloud Manager's, which are described in public but not given out. */
const cq = (
  key: string,
  [type, severity]: [FindingType, FindingSeverity],
  message: string,
  xpath: string,
): PmdRule => ({ name: key.replace(/^.*:|-/g, ''), key, type, severity, message, xpath });

const SMELL: [FindingType, FindingSeverity] = ['CODE_SMELL', 'MINOR'];
const LOGGER = `*[1][pmd-java:typeIs('org.slf4j.Logger') or matches(@Name, '^(log|logger)$', 'i')]`;
const LOGS = `MethodCall[@MethodName=('error','warn','info','debug','trace')][${LOGGER}]`;
/** Names that JcrConstants, NameConstants and HttpConstants of AEM have, as PMD has literals in its tree. */
const constants = [
  ...['jcr:content', 'jcr:primaryType', 'jcr:title', 'jcr:description', 'jcr:created', 'jcr:lastModified'],
  ...['nt:unstructured', 'nt:file', 'nt:folder', 'cq:Page', 'cq:PageContent', 'cq:tags', 'cq:template'],
  ...['GET', 'HEAD', 'POST', 'PUT', 'DELETE'],
]
  .map((name) => `'"${name}"'`)
  .join();
const type = (name: string) => `pmd-java:typeIs('${name}')`;

export const pmdRules: readonly PmdRule[] = [
  ...rules(
    ...(['BUG', 'MAJOR'] as const),
    ...['errorprone/AvoidBranchingStatementAsLastInLoop', 'errorprone/BrokenNullCheck'],
    ...['errorprone/AvoidDecimalLiteralsInBigDecimalConstructor', 'errorprone/CheckSkipResult'],
    ...['errorprone/ClassCastExceptionWithToArray', 'errorprone/ComparisonWithNaN'],
    ...[
      'errorprone/DontUseFloatTypeForLoopIndices',
      'errorprone/EqualsNull',
      'errorprone/IdempotentOperations',
    ],
    ...[
      'errorprone/InvalidLogMessageFormat',
      'errorprone/JumbledIncrementer',
      'errorprone/MisplacedNullCheck',
    ],
    ...['errorprone/ReturnFromFinallyBlock', 'errorprone/StringBufferInstantiationWithChar'],
    ...['errorprone/SuspiciousEqualsMethodName', 'errorprone/SuspiciousHashcodeMethodName'],
    ...['errorprone/UnconditionalIfStatement', 'errorprone/UnusedNullCheckInEquals'],
    ...['errorprone/UselessOperationOnImmutable', 'errorprone/SuspiciousOctalEscape'],
    ...['multithreading/DontCallThreadRun', 'multithreading/DoubleCheckedLocking'],
    ...['multithreading/UnsynchronizedStaticFormatter', 'bestpractices/CheckResultSet'],
  ),
  ...rules(
    'BUG',
    'MINOR',
    'errorprone/OverrideBothEqualsAndHashcode',
    'errorprone/CloneMethodMustImplementCloneable',
  ),
  ...rules('VULNERABILITY', 'CRITICAL', 'security/InsecureCryptoIv', 'security/HardCodedCryptoKey'),
  ...rules(
    ...(['CODE_SMELL', 'CRITICAL'] as const),
    ...[
      'errorprone/DoNotThrowExceptionInFinally',
      'errorprone/AvoidCatchingNPE',
      'design/CognitiveComplexity',
    ],
    ...['errorprone/DoNotTerminateVM', 'errorprone/DoNotCallGarbageCollectionExplicitly'],
  ),
  ...rules(
    ...(['CODE_SMELL', 'MAJOR'] as const),
    ...[
      'errorprone/EmptyCatchBlock',
      'errorprone/ImplicitSwitchFallThrough',
      'errorprone/AvoidUsingOctalValues',
    ],
    ...['errorprone/AvoidInstanceofChecksInCatchClause', 'errorprone/NonSerializableClass'],
    ...['errorprone/ReturnEmptyCollectionRatherThanNull', 'bestpractices/PreserveStackTrace'],
    ...[
      'bestpractices/UnusedPrivateField',
      'bestpractices/UnusedPrivateMethod',
      'bestpractices/UnusedFormalParameter',
    ],
    ...['bestpractices/AvoidReassigningLoopVariables', 'bestpractices/AvoidUsingHardCodedIP'],
    ...['bestpractices/DoubleBraceInitialization', 'bestpractices/MissingOverride'],
    ...['design/AvoidThrowingNullPointerException', 'design/CollapsibleIfStatements'],
    ...['multithreading/AvoidThreadGroup', 'multithreading/NonThreadSafeSingleton'],
    ...['performance/AvoidFileStream', 'codestyle/EmptyControlStatement'],
  ),
  ...rules(
    ...(['CODE_SMELL', 'MINOR'] as const),
    ...['bestpractices/UnusedLocalVariable', 'bestpractices/LiteralsFirstInComparisons'],
    ...['bestpractices/ReplaceEnumerationWithIterator', 'bestpractices/PrimitiveWrapperInstantiation'],
    ...['bestpractices/LooseCoupling', 'design/SimplifyBooleanReturns', 'design/UselessOverridingMethod'],
    ...['performance/UselessStringValueOf', 'performance/StringInstantiation'],
    ...['performance/BigIntegerInstantiation', 'performance/InefficientEmptyStringCheck'],
    ...['codestyle/UnnecessaryImport', 'codestyle/UnnecessaryReturn'],
  ),
  {
    ...{ name: 'bestpractices/AvoidPrintStackTrace', type: 'CODE_SMELL', severity: 'MINOR' },
    key: 'CQRules:CQBP-44---ExceptionPrintStackTrace',
  },
  {
    ...{ name: 'bestpractices/SystemPrintln', type: 'CODE_SMELL', severity: 'MINOR' },
    key: 'CQRules:CQBP-44---LowLevelConsolePrinters',
  },
  cq(
    'CQRules:CQBP-44---CatchAndEitherLogOrThrow',
    SMELL,
    'An exception is either logged or thrown on, not both: whoever catches it next logs it again.',
    `//CatchClause[.//ThrowStatement]//${LOGS}`,
  ),
  cq(
    'CQRules:CQBP-44---ConsecutivelyLogAndThrow',
    SMELL,
    'A message is logged and then thrown: whoever catches it logs it again.',
    `//ThrowStatement[not(ancestor::CatchClause)][preceding-sibling::*[1]/${LOGS}]`,
  ),
  cq(
    'CQRules:CQBP-44---LogInfoInGetOrHeadRequests',
    SMELL,
    'GET and HEAD requests log at DEBUG: INFO fills the log with every visitor.',
    `//MethodDeclaration[@Name=('doGet','doHead')]//${LOGS}[@MethodName='info']`,
  ),
  cq(
    'CQRules:CQBP-44---ExceptionGetMessageIsFirstLogParam',
    SMELL,
    'The message of an exception says too little as the text of a log line: say what failed, and add the exception.',
    `//${LOGS}[ArgumentList/*[1][self::MethodCall[@MethodName=('getMessage','getLocalizedMessage')]]]`,
  ),
  cq(
    'CQRules:CQBP-44---WrongLogLevelInCatchBlock',
    SMELL,
    'What is caught is logged at WARN or ERROR.',
    `//CatchClause//${LOGS}[@MethodName=('info','debug','trace')]`,
  ),
  cq(
    'CQRules:CQBP-71',
    SMELL,
    'A path below /apps or /libs is hard-coded: resource types are relative to the search path.',
    `//StringLiteral[matches(@Image, '^"/(apps|libs)(/.*)?"$')]`,
  ),
  cq(
    'CQRules:CQBP-72',
    ['CODE_SMELL', 'MAJOR'],
    'A ResourceResolver that is opened here is not closed: open it in try-with-resources.',
    `//LocalVariableDeclaration[not(parent::Resource)]/VariableDeclarator[.//MethodCall[@MethodName=('getServiceResourceResolver','getAdministrativeResourceResolver')]][not(ancestor::MethodDeclaration//MethodCall[@MethodName='close'])]`,
  ),
  cq(
    'CQRules:CQBP-75',
    ['CODE_SMELL', 'MAJOR'],
    'The servlet is registered by a path: register it by a resource type, whose rights apply.',
    `//Annotation[@SimpleName='SlingServletPaths'] | //Annotation//StringLiteral[starts-with(@Image, '"sling.servlet.paths')] | //Annotation[@SimpleName='SlingServlet']//MemberValuePair[@Name='paths']`,
  ),
  cq(
    'CQRules:CWE-676',
    ['VULNERABILITY', 'MAJOR'],
    'Threads are not stopped or interrupted from outside: that leaves their work half done.',
    `//MethodCall[@MethodName=('stop','interrupt')][*[1][${type('java.lang.Thread')}]]`,
  ),
  cq(
    'CQRules:ConnectionTimeoutMechanism',
    ['BUG', 'CRITICAL'],
    'The connection has no connect and read time-out: a server that hangs takes the threads of this instance.',
    `//MethodCall[@MethodName='openConnection'][*[1][${type('java.net.URL')}]][not(ancestor::MethodDeclaration//MethodCall[@MethodName='setConnectTimeout']) or not(ancestor::MethodDeclaration//MethodCall[@MethodName='setReadTimeout'])] | //MethodCall[@MethodName='createDefault'][*[1][@SimpleName='HttpClients']] | //ConstructorCall[ClassType[@SimpleName='DefaultHttpClient']]`,
  ),
  cq(
    'AEM Rules:AEM-1',
    SMELL,
    'AEM has a constant for this value of an annotation: use that.',
    `//Annotation//StringLiteral[@Image=(${constants})]`,
  ),
  cq(
    'AEM Rules:AEM-2',
    SMELL,
    'AEM has a constant for this name: use that.',
    `//StringLiteral[@Image=(${constants})][not(ancestor::Annotation)]`,
  ),
  cq(
    'AEM Rules:AEM-3',
    ['BUG', 'CRITICAL'],
    'A component serves many requests at once, and this field belongs to one session: keep it in a variable.',
    `//ClassDeclaration[ModifierList/Annotation[@SimpleName=('Component','SlingServlet','SlingFilter')] or ExtendsList/ClassType[@SimpleName=('SlingSafeMethodsServlet','SlingAllMethodsServlet','HttpServlet')] or ImplementsList/ClassType[@SimpleName=('Servlet','Filter','EventHandler')]]/ClassBody/FieldDeclaration[ClassType[@SimpleName=('ResourceResolver','Session','PageManager','ComponentManager','Designer','AssetManager','TagManager','UserManager','Authorizable')]]`,
  ),
  cq(
    'AEM Rules:AEM-7',
    ['CODE_SMELL', 'CRITICAL'],
    'A session that is opened here is not logged out.',
    `//VariableDeclarator[.//MethodCall[@MethodName=('loginService','loginAdministrative')]][not(ancestor::MethodDeclaration//MethodCall[@MethodName='logout'])]`,
  ),
  cq(
    'AEM Rules:AEM-11',
    ['CODE_SMELL', 'MAJOR'],
    'Administrative access has been given up: use a service user.',
    `//MethodCall[@MethodName=('getAdministrativeResourceResolver','loginAdministrative')]`,
  ),
  cq(
    'AEM Rules:AEM-15',
    ['CODE_SMELL', 'INFO'],
    'Who synchronizes makes others wait: look whether java.util.concurrent has something better.',
    `//MethodDeclaration[pmd-java:modifiers()='synchronized'] | //SynchronizedStatement`,
  ),
  cq(
    'AEM Rules:AEM-16',
    SMELL,
    'The model says that all is optional: this annotation says it again.',
    `//ClassDeclaration[ModifierList/Annotation[@SimpleName='Model']//MemberValuePair[@Name='defaultInjectionStrategy'][.//*[@Name='OPTIONAL']]]/ClassBody/FieldDeclaration/ModifierList/Annotation[@SimpleName='Optional']`,
  ),
  {
    ...cq(
      'CQRules:AMSCORE-554',
      SMELL,
      "Sling's Scheduler runs on no particular instance of a cluster: use Sling Jobs.",
      `//ImportDeclaration[@ImportedName='org.apache.sling.commons.scheduler.Scheduler']`,
    ),
    cloudService: true,
  },
];
