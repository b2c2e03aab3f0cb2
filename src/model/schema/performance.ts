import { z } from 'zod';
import { contentPath, secretName } from './fields.ts';

const pageList = (most: number) => z.array(contentPath).max(most, `at most ${most} pages`).default([]);

/** What the tests of Performance Testing do and demand. */
export const performanceSchema = z.strictObject({
  durationSeconds: z
    .number()
    .int()
    .min(1)
    .max(7200)
    .default(1800)
    .describe("How long each test lasts, in seconds; Cloud Manager's are 30 minutes."),
  viewsPerMinute: z
    .number()
    .int()
    .min(1)
    .max(100_000)
    .default(200)
    .describe('Page views per minute to produce.'),
  responseTimeMs: z
    .number()
    .positive()
    .default(2000)
    .describe('95th percentile of the response time that may not be reached, in milliseconds.'),
  pages: z
    .strictObject({
      popular: pageList(25).describe('Popular live pages: the most visited ones, 25 at most.'),
      other: pageList(1000).describe('Other live pages; what the crawl finds is added.'),
      new: pageList(1000).describe('New pages: on stage, and not yet in production.'),
    })
    .prefault({})
    .describe('Pages to load; every set that has pages gets the same share of the page views.'),
  crawl: z
    .strictObject({
      seeds: z
        .array(contentPath)
        .max(100)
        .default([])
        .describe("Pages that the crawl begins with; the environment's probe page where none is named."),
      maxPages: z.number().int().min(1).max(7000).default(5000).describe('How many pages it finds at most.'),
      maxDepth: z
        .number()
        .int()
        .min(0)
        .max(50)
        .default(20)
        .describe('How many links away from a seed it goes.'),
    })
    .optional()
    .describe('Looks for pages before the test; done anyway where `pages` names none.'),
  credentials: secretName
    .optional()
    .describe(
      'Name of the secret that holds `user:password` (HTTP Basic) of a site that is not open to everybody.',
    ),
  assets: z
    .strictObject({
      uploadsPerMinute: z
        .number()
        .int()
        .min(0)
        .max(6000)
        .default(10)
        .describe('Assets uploaded per minute; 0: the program has no assets test.'),
      imagesPercent: z
        .number()
        .min(0)
        .max(100)
        .default(70)
        .describe('How many of them are images; the others are PDF documents.'),
    })
    .prefault({})
    .describe('The assets test: uploads to the first author, for as long as the load test.'),
});

export type PerformanceGoals = z.infer<typeof performanceSchema>;
