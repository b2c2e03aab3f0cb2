/** Code in which a rule finds something on its only line with `BAD`, and code that is like it and good. */
export interface JavaExample {
  readonly bad: string;
  readonly good: string;
}

const method = (body: string) => `void method(Logger log, Factory factory) throws Exception { ${body} }`;
const model = (strategy: string) =>
  `@Model(adaptables = Resource.class${strategy})\n  static class M {\n    @Inject @Optional /* BAD */ private String text;\n  }`;

/** One for each rule of Cloud Manager that PMD carries; members of a class. */
export const javaExamples: Readonly<Record<string, JavaExample>> = {
  'CQRules:CQBP-44---ExceptionPrintStackTrace': {
    bad: method('try { run(); } catch (Exception e) {\n e.printStackTrace(); // BAD\n }'),
    good: method('try { run(); } catch (Exception e) { log.error("It failed", e); }'),
  },
  'CQRules:CQBP-44---LowLevelConsolePrinters': {
    bad: method('System.out.println("x"); // BAD\n'),
    good: method('log.debug("x");'),
  },
  'CQRules:CQBP-44---CatchAndEitherLogOrThrow': {
    bad: method('try { run(); } catch (Exception e) {\n log.error("It failed", e); // BAD\n throw e; }'),
    good: method('try { run(); } catch (Exception e) { throw new IllegalStateException("It failed", e); }'),
  },
  'CQRules:CQBP-44---ConsecutivelyLogAndThrow': {
    bad: method('log.error("It failed");\n throw new IllegalStateException("It failed"); // BAD\n'),
    good: method('log.error("It failed"); run(); throw new IllegalStateException("It failed");'),
  },
  'CQRules:CQBP-44---LogInfoInGetOrHeadRequests': {
    bad: 'void doGet(Logger log) {\n log.info("x"); // BAD\n }',
    good: 'void doGet(Logger log) { log.debug("x"); }\n void doPost(Logger log) { log.info("x"); }',
  },
  'CQRules:CQBP-44---ExceptionGetMessageIsFirstLogParam': {
    bad: method('try { run(); } catch (Exception e) {\n log.error(e.getMessage(), e); // BAD\n }'),
    good: method('try { run(); } catch (Exception e) { log.error("Because of {}", e.getMessage(), e); }'),
  },
  'CQRules:CQBP-44---WrongLogLevelInCatchBlock': {
    bad: method('try { run(); } catch (Exception e) {\n log.info("It failed", e); // BAD\n }'),
    good: method('try { run(); } catch (Exception e) { log.warn("It failed", e); } log.info("done");'),
  },
  'CQRules:CQBP-71': {
    bad: 'String type = "/apps/site/components/page"; // BAD\n',
    good: 'String type = "site/components/page";\n String other = "/application/x";',
  },
  'CQRules:CQBP-72': {
    bad: method('Resolver resolver = factory.getServiceResourceResolver(null); // BAD\n resolver.commit();'),
    good: method(
      'try (Resolver resolver = factory.getServiceResourceResolver(null)) { resolver.commit(); } Resolver other = factory.getServiceResourceResolver(null); other.close();',
    ),
  },
  'CQRules:CQBP-75': {
    bad: '@SlingServletPaths("/bin/site") // BAD\n static class S {}',
    good: '@SlingServletResourceTypes(resourceTypes = "site/page") static class S {}',
  },
  'CQRules:CWE-676': {
    bad: 'void end(Thread other) {\n other.stop(); // BAD\n }',
    good: 'void end(Service other) { other.stop(); }\n void name(Thread other) { other.getName(); }',
  },
  'CQRules:ConnectionTimeoutMechanism': {
    bad: 'void ask(java.net.URL url) throws Exception {\n url.openConnection().connect(); // BAD\n }',
    good: 'void ask(java.net.URL url) throws Exception { java.net.URLConnection c = url.openConnection(); c.setConnectTimeout(1000); c.setReadTimeout(1000); c.connect(); }',
  },
  'AEM Rules:AEM-1': {
    bad: '@SlingServlet(\n methods = "POST") // BAD\n static class S {}',
    good: '@SlingServlet(methods = HttpConstants.METHOD_POST) static class S {}',
  },
  'AEM Rules:AEM-2': {
    bad: 'String name = "jcr:content"; // BAD\n',
    good: 'String name = JcrConstants.JCR_CONTENT;\n String other = "site:content";',
  },
  'AEM Rules:AEM-3': {
    bad: '@Component(service = Service.class)\n static class S {\n private ResourceResolver resolver; // BAD\n }',
    good: '@Component(service = Service.class) static class S { @Reference private ResourceResolverFactory factory; }\n static class Plain { private ResourceResolver resolver; }',
  },
  'AEM Rules:AEM-7': {
    bad: method('Session session = factory.loginService("x", null); // BAD\n session.save();'),
    good: method(
      'Session session = factory.loginService("x", null); try { session.save(); } finally { session.logout(); }',
    ),
  },
  'AEM Rules:AEM-11': {
    bad: method('use(factory.getAdministrativeResourceResolver(null)); // BAD\n'),
    good: method('try (Resolver resolver = factory.getServiceResourceResolver(null)) { use(resolver); }'),
  },
  'AEM Rules:AEM-15': {
    bad: 'synchronized void add() {} // BAD\n',
    good: 'void add() { lock.lock(); }',
  },
  'AEM Rules:AEM-16': {
    bad: model(', defaultInjectionStrategy = DefaultInjectionStrategy.OPTIONAL'),
    good: model(''),
  },
  'CQRules:AMSCORE-554': {
    bad: 'import org.apache.sling.commons.scheduler.Scheduler; // BAD\n',
    good: 'import org.apache.sling.event.jobs.JobManager;\n',
  },
};
