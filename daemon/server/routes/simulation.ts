/** Faults of the simulated hardware; there only while the simulator runs. */
import Type from 'typebox';
import { FaultReply, FaultsReply } from '../../../core/contract/http.ts';
import { GatewayError } from '../../../core/errors.ts';
import type { App } from '../options.ts';
import type { SimulationControl } from '../services.ts';
import { NoContent, problems } from './replies.ts';

const config = { access: 'admin' } as const;
const Fault = Type.Object({}, { additionalProperties: true, description: 'See docs/simulator.md' });
const Id = Type.Object({ id: Type.String({ minLength: 1, maxLength: 100 }) });

export function addSimulationRoutes(app: App, simulation: SimulationControl): void {
  app.get(
    '/api/admin/simulation/faults',
    {
      config,
      schema: {
        summary: 'Faults of the simulated hardware',
        response: { 200: FaultsReply, ...problems(401, 403) },
      },
    },
    async () => ({ faults: [...simulation.faults()] }),
  );
  app.post(
    '/api/admin/simulation/faults',
    {
      config: { ...config, audit: 'fault.add' },
      schema: {
        summary: 'Adds a fault',
        body: Fault,
        response: { 201: FaultReply, ...problems(400, 401, 403) },
      },
    },
    async (request, reply) => reply.code(201).send({ id: simulation.addFault(request.body) }),
  );
  app.delete(
    '/api/admin/simulation/faults/:id',
    {
      config: { ...config, audit: 'fault.remove' },
      schema: {
        summary: 'Ends a fault',
        params: Id,
        response: { 204: NoContent, ...problems(401, 403, 404) },
      },
    },
    async (request, reply) => {
      if (!simulation.removeFault(request.params.id))
        throw new GatewayError('NOT_FOUND', `There is no fault '${request.params.id}'`);
      return reply.code(204).send(null);
    },
  );
}
